/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "migrate/nodefiles.h"
#include "migrate/owner.h"
#include "migrate/rootopen.h"
#include "proto/msg.h"

#define MAX_BUILD_ID 64

static int file_compare(const mapped_file *file, int fd, char *text, size_t len)
{
    uint8_t id[MAX_BUILD_ID];
    struct stat st;
    size_t id_len;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode)) {
        snprintf(text, len, "cannot use %s: it is no regular file here", file->path);
        return -ENOEXEC;
    }
    if ((u_quad_t)st.st_size != file->size) {
        snprintf(text, len, "cannot use %s: it is %llu bytes long here, %llu where the process "
                 "comes from", file->path, (unsigned long long)st.st_size,
                 (unsigned long long)file->size);
        return -ENOEXEC;
    }
    id_len = filehash_build_id(fd, id, sizeof(id));
    if (id_len != file->build_id.build_id_len ||
        (id_len > 0 && memcmp(id, file->build_id.build_id_val, id_len) != 0)) {
        snprintf(text, len, "cannot use %s: its build id differs from the one where the process "
                 "comes from", file->path);
        return -ENOEXEC;
    }
    return 0;
}

static int file_expect(const mapped_file *file, const char *root, char *text, size_t len)
{
    /* A pipe there holds nobody up. */
    int fd = rootopen(root, file->path, O_RDONLY | O_NONBLOCK);
    int error;

    if (fd < 0) {
        snprintf(text, len, "cannot use %s: %s", file->path, strerror(-fd));
        return -ENOEXEC;
    }
    error = file_compare(file, fd, text, len);
    close(fd);
    return error;
}

static int expected_compare(const char *root, const mapped_file *list, unsigned count, char *text,
                            size_t len)
{
    int error = 0;

    for (unsigned i = 0; !error && i < count; i++)
        if (!list[i].sent)
            error = file_expect(&list[i], root, text, len);
    return error;
}

/* What is looked at, and where words about it go. */
struct looker {
    const char *root;
    const struct image_owner *owner;
    const mapped_file *list;
    unsigned count;
    char *text;
    size_t len;
};

static void looker_run(int result, const void *arg)
{
    const struct looker *looker = arg;
    char text[BPROC_MAX_TEXT] = "";
    error_ret ret = { .text = text };
    int error = owner_begin(looker->root);

    /* Nothing else of ours is there to be opened by way of /proc. */
    dup2(result, STDIN_FILENO);
    close_range(STDIN_FILENO + 1, ~0u, 0);
    if (!error)
        error = owner_become(looker->owner);
    if (!error)
        error = expected_compare("/", looker->list, looker->count, text, sizeof(text));
    msg_send(STDIN_FILENO, K_REPLY, P_LAUNCH_FILES, 0, -error, FRAME_XDR(error_ret), &ret, NULL, 0);
}

static int looker_hear(int result, const void *arg)
{
    const struct looker *looker = arg;
    struct msg msg;
    error_ret ret;
    int error = msg_recv(result, &msg);

    if (error)
        return error == -ECONNRESET ? -ETIMEDOUT : error;
    error = frame_decode(FRAME_XDR(error_ret), msg.body, msg.header.body_len, &ret, sizeof(ret));
    if (!error) {
        error = -msg.header.status;
        snprintf(looker->text, looker->len, "%s", ret.text);
        frame_free(FRAME_XDR(error_ret), &ret, sizeof(ret));
    }
    msg_free(&msg);
    return error;
}

static int expected_look(const char *root, const struct image_owner *owner,
                         const mapped_file *list, unsigned count, char *text, size_t len)
{
    struct looker looker = { root, owner, list, count, text, len };

    return owner_ask(looker_run, looker_hear, &looker);
}

static unsigned expected_count(const mapped_file *list, unsigned count)
{
    unsigned expected = 0;

    for (unsigned i = 0; i < count; i++)
        expected += !list[i].sent;
    return expected;
}

int nodefiles_check(struct nodefiles *files, const struct filecache *cache, const char *root,
                    const struct image_owner *owner, const mapped_file *list, unsigned count,
                    char *text, size_t len)
{
    int error = 0;

    if (owner && expected_count(list, count) > 0)
        error = expected_look(root, owner, list, count, text, len);
    else
        error = expected_compare(root, list, count, text, len);
    files->list = list;
    files->need_count = 0;
    for (files->count = 0; !error && files->count < count; files->count++) {
        unsigned i = files->count;

        files->fds[i] = -1;
        if (!list[i].sent)
            continue;
        files->fds[i] = filecache_open(cache, (const uint8_t *)list[i].hash);
        if (files->fds[i] == -ENOENT)
            files->need[files->need_count++] = i;
        else if (files->fds[i] < 0)
            error = files->fds[i];
    }
    if (error)
        nodefiles_free(files);
    return error;
}

void nodefiles_free(struct nodefiles *files)
{
    for (unsigned i = 0; i < files->count; i++)
        if (files->fds[i] >= 0)
            close(files->fds[i]);
    files->count = 0;
}
