/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "migrate/imagenameless.h"
#include "migrate/imageopen.h"
#include "migrate/owner.h"
#include "proto/msg.h"

#define MAKING (O_CREAT | O_EXCL | O_TRUNC)
/* The kernel goes on showing it for a file that was made so. */
#define MADE (O_TMPFILE & ~O_DIRECTORY)
#define CHANGEABLE (O_APPEND | O_ASYNC | O_DIRECT | O_NOATIME | O_NONBLOCK)

/* The child, and what it sends: messages with as many files as one can have, in their order. */
struct opener {
    struct image_files *files;
    struct nameless nameless;
    int result;
    unsigned sent;                      /* of the list: the first that is not under way */
    unsigned failed;                    /* of the list: the one it has to do with; or their count */
};

/* One that is mapped and open gets a single descriptor that does for both. */
static int file_flags(const struct image_file *file)
{
    int flags = (int)file->flags & ~MADE, access = flags & O_ACCMODE;

    if ((file->is_written && access == O_RDONLY) || (file->is_read && access == O_WRONLY))
        flags = (flags & ~O_ACCMODE) | O_RDWR;
    return flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
}

/* A folder that it is in, and a program that it runs, need more than to be open. */
static int use_try(const struct image_file *file)
{
    if (file->is_folder && fchdir(file->fd) < 0)
        return -errno;
    /* One that we make gets its mode last. */
    if (file->is_program && file->is_nameless)
        return file->mode & 0111 ? 0 : -EACCES;
    if (file->is_program && faccessat(file->fd, "", X_OK, AT_EMPTY_PATH) < 0)
        return -errno;
    return 0;
}

static int state_set(const struct image_file *file)
{
    if (file->flags & O_PATH)
        return 0;
    if (fcntl(file->fd, F_SETFL, (int)file->flags & CHANGEABLE) < 0)
        return -errno;
    if (file->offset != UINT64_MAX && lseek(file->fd, (off_t)file->offset, SEEK_SET) < 0)
        return -errno;
    return 0;
}

static int file_open(struct opener *opener, struct image_file *file)
{
    int error;

    if (file->flags & MAKING)
        return -EPERM;
    if (file->is_nameless)
        file->fd = nameless_open(&opener->nameless, file, file_flags(file));
    else if ((file->fd = open(file->path, file_flags(file))) < 0)
        file->fd = -errno;
    if (file->fd < 0)
        return file->fd;
    error = use_try(file);
    return error ? error : state_set(file);
}

static int batch_send(struct opener *opener, unsigned end)
{
    int fds[BPROC_MAX_FDS] = { 0 }, error;
    unsigned count = 0;

    for (unsigned i = opener->sent; i < end; i++)
        if (opener->files->list[i].fd >= 0)
            fds[count++] = opener->files->list[i].fd;
    opener->sent = end;
    error = msg_send(opener->result, K_EVENT, P_LAUNCH_FILES, end, 0, NULL, NULL, fds, count);
    for (unsigned i = 0; i < count; i++)
        close(fds[i]);
    return error;
}

static int files_open(struct opener *opener)
{
    struct image_files *files = opener->files;
    int error = 0;

    for (unsigned i = 0; !error && i < files->count; i++) {
        if (files->list[i].is_sent)
            continue;
        error = file_open(opener, &files->list[i]);
        opener->failed = i;
        if (!error && i + 1 - opener->sent == BPROC_MAX_FDS)
            error = batch_send(opener, i + 1);
    }
    if (error)
        return error;
    opener->failed = files->count;
    error = nameless_finish(&opener->nameless);
    return error ? error : batch_send(opener, files->count);
}

/* Nothing else of ours is there to be opened by way of /proc. */
static void others_close(int *dir_fd, int *result)
{
    dup2(*result, STDIN_FILENO);
    dup2(*dir_fd, STDOUT_FILENO);
    close_range(STDERR_FILENO, ~0u, 0);
    *result = STDIN_FILENO;
    *dir_fd = STDOUT_FILENO;
}

/* What is to be opened, and where words about it go. */
struct order {
    int dir_fd;
    const struct image_guest *guest;
    struct image_files *files;
    char *text;
    size_t len;
};

static void opener_run(int result, const void *arg)
{
    const struct order *order = arg;
    struct opener opener = { .files = order->files, .failed = order->files->count };
    int dir_fd = order->dir_fd, error = owner_begin(order->guest->root);

    others_close(&dir_fd, &result);
    opener.result = result;
    if (!error)
        error = nameless_begin(&opener.nameless, dir_fd, order->files);
    if (!error)
        error = owner_become(&order->guest->owner);
    if (!error)
        error = files_open(&opener);
    if (error)
        msg_send(result, K_EVENT, P_LAUNCH_FILES, opener.failed, -error, NULL, NULL, NULL, 0);
}

static const char *file_use(const struct image_file *file)
{
    if (file->is_nameless)
        return "makes a file in the folder of";
    return file->is_folder ? "is in" : file->is_program ? "runs" : "opens";
}

static int refusal_say(const struct image_file *file, uid_t uid, int error, char *text, size_t len)
{
    if (error == -EPERM || error == -EACCES) {
        snprintf(text, len, "%s %s, which uid %u may not", file_use(file), file->path, uid);
        return -EPERM;
    }
    snprintf(text, len, "%s %s, which uid %u cannot: %s", file_use(file), file->path, uid,
             strerror(-error));
    return -ENOTSUP;
}

/* The files from `first` on that are in the message; how many of the list those are. */
static int batch_take(struct msg *msg, struct image_files *files, unsigned first)
{
    unsigned index = 0, end = msg->header.serial;

    if (end > files->count)
        return -EPROTO;
    for (unsigned i = first; i < end; i++) {
        if (files->list[i].is_sent)
            continue;
        files->list[i].fd = msg_take_fd(msg, index++);
        if (files->list[i].fd < 0)
            return -EPROTO;
    }
    return (int)end;
}

static int files_take(int result, const void *arg)
{
    const struct order *order = arg;
    struct image_files *files = order->files;
    int taken = 0;

    do {
        struct msg msg;
        int error = msg_recv(result, &msg);

        if (error)
            return error == -ECONNRESET ? -ETIMEDOUT : error;
        if (msg.header.status && msg.header.serial >= files->count)
            taken = -msg.header.status;
        else if (msg.header.status)
            taken = refusal_say(&files->list[msg.header.serial], order->guest->owner.uid,
                                -msg.header.status, order->text, order->len);
        else
            taken = batch_take(&msg, files, (unsigned)taken);
        msg_free(&msg);
    } while (taken >= 0 && (unsigned)taken < files->count);
    return taken < 0 ? taken : 0;
}

int imageopen_files(int dir_fd, const struct image_guest *guest, struct image_files *files,
                    char *text, size_t len)
{
    struct order order = { dir_fd, guest, files, text, len };

    return owner_ask(opener_run, files_take, &order);
}
