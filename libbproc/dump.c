/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bproc_dump() and bproc_undump(): an image in a file.
 *
 * What is dumped is a copy of the caller, forked quietly, as in move.c; its standard streams are
 * placeholders, nothing else is open in it. It ends when the file is written. Who undumps waits at
 * a gate, as for a rexec, and becomes the ghost of what was in the file; that has his number, and
 * his standard streams.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <sys/bproc.h>

#include "libbproc/client.h"
#include "libbproc/descriptors.h"
#include "libbproc/move.h"
#include "libbproc/quietfork.h"
#include "libbproc/remain.h"
#include "libbproc/rfork.h"

#define STANDARD (STDERR_FILENO + 1)

static const struct io nothing;

/* ---- the copy, and what comes of it ---- */

/* Who undumped it had no such stream. */
static void placeholder_drop(int fd)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof(peer);
    int null;

    if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0 || errno != ENOTCONN)
        return;
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0 && null != fd) {
        dup2(null, fd);
        close(null);
    }
}

static int dump_settle(const gate_msg *news)
{
    (void)news;
    move_number_refresh();
    for (int fd = 0; fd < STANDARD; fd++)
        placeholder_drop(fd);
    return 0;
}

static int placeholder_make(int fd, stream_desc *desc)
{
    int holder = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct stat st;
    int error = 0;

    if (holder < 0)
        return -errno;
    if (fstat(holder, &st) < 0 || (holder == fd ? fcntl(fd, F_SETFD, 0) : dup2(holder, fd)) < 0)
        error = -errno;
    if (holder != fd)
        close(holder);
    desc->kind = STREAM_SOCKET;
    desc->inode = st.st_ino;
    desc->targets.targets_len = 1;
    *desc->targets.targets_val = fd;
    return error;
}

static int copy_hand_over(struct depart *depart, int out)
{
    const int keep[] = { depart->conn, depart->gate, depart->gate_far, out, -1 };
    struct streams *set = calloc(1, sizeof(*set));
    int error = set ? descriptors_close(keep) : -ENOMEM;

    for (int fd = 0; !error && fd < STANDARD; fd++) {
        set->descs[fd].targets.targets_val = set->targets[fd];
        error = placeholder_make(fd, &set->descs[fd]);
        set->count++;
    }
    if (!error)
        error = depart_handover(depart, getpid(), set, &out, 1, -1);
    free(set);
    return error;
}

/* Returns where it was undumped only. */
static void copy_leave(struct depart *depart, int out, const uint64_t *mask)
{
    const struct flight_plan plan = { .kind = MOVE_DUMP, .arg = &nothing, .settle = dump_settle };
    char *cwd = getcwd(NULL, 0);
    int node, error;

    client_release(depart->gate);
    client_release(depart->gate_far);
    client_forget_all_but(depart->conn);
    error = copy_hand_over(depart, out);
    if (error)
        _exit(-error & 0xff);
    client_close(depart->conn);
    close(out);
    (void)!chdir("/");
    rfork_gate_reach(depart->gate, 0);
    if (rfork_gate_pass(depart->gate, cwd, &plan, &node) != GATE_REMOTE)
        _exit(CHILD_GAVE_UP);
    close(depart->gate);
    free(cwd);
    signals_restore(mask);
}

/* ---- the caller of a dump ---- */

static int answer_wait(int conn)
{
    struct msg msg;
    int error = msg_recv(conn, &msg);

    if (error)
        return error;
    error = msg.header.status > 0 ? -msg.header.status : 0;
    msg_free(&msg);
    return error;
}

/* 1 in the caller, 0 where it was undumped, -errno. */
static int dump_run(int out, int flags)
{
    struct depart depart;
    uint64_t mask;
    pid_t copy;
    int error = depart_ask(&depart, MOVE_DUMP, BPROC_NODE_SELF, flags);

    if (error)
        return error;
    error = depart_gate(&depart);
    if (error) {
        depart_close(&depart);
        return error;
    }
    signals_block(&mask);
    copy = quietfork();
    if (copy == 0) {
        copy_leave(&depart, out, &mask);
        return 0;
    }
    error = copy < 0 ? -errno : 0;
    signals_restore(&mask);
    client_close(depart.gate);
    client_close(depart.gate_far);
    depart.gate = depart.gate_far = -1;
    if (!error)
        error = answer_wait(depart.conn);
    if (copy > 0)
        quietfork_undo(copy);
    depart_close(&depart);
    return error ? client_error(error) : 1;
}

int bproc_dump(int fd, int flags)
{
    int out, result;

    if (flags & ~BPROC_DUMP_ALL)
        return client_result(-EINVAL);
    /* Out of the way of the placeholders. */
    out = fcntl(fd, F_DUPFD_CLOEXEC, STANDARD);
    if (out < 0)
        return -1;
    result = dump_run(out, flags);
    if (result != 0)
        close(out);
    return client_result(result);
}

/* ---- the caller of an undump ---- */

/* Each standard stream by itself: each has its own placeholder in the image. */
static int standard_split(const struct streams *all, struct streams *set)
{
    for (unsigned i = 0; i < all->count; i++)
        for (unsigned t = 0; t < all->descs[i].targets.targets_len; t++) {
            int fd = all->descs[i].targets.targets_val[t];
            int copy = fd < STANDARD ? fcntl(all->originals[i], F_DUPFD_CLOEXEC, STANDARD) : -1;
            stream_desc *desc = &set->descs[set->count];

            if (fd >= STANDARD)
                continue;
            if (copy < 0)
                return -EMFILE;
            *desc = all->descs[i];
            desc->targets.targets_len = 1;
            desc->targets.targets_val = set->targets[set->count];
            set->targets[set->count++][0] = fd;
            set->originals[set->original_count++] = copy;
        }
    return 0;
}

static int undump_hand_over(struct depart *depart, int in)
{
    const int skip[] = { depart->conn, depart->gate, depart->gate_far, in, -1 };
    struct streams *all = calloc(2, sizeof(*all));
    int error = all ? streams_collect(&all[0], BPROC_IO_STDIN, &nothing, 1, skip) : -ENOMEM;

    if (!error) {
        error = standard_split(&all[0], &all[1]);
        if (!error)
            error = depart_handover(depart, getpid(), &all[1], &in, 1, -1);
        streams_free(&all[0]);
        streams_free(&all[1]);
    }
    free(all);
    return error;
}

int bproc_undump(int fd)
{
    struct remain remain;
    struct depart depart;
    uint64_t mask;
    int error = fcntl(fd, F_GETFD) < 0 ? -errno
                                       : depart_ask(&depart, MOVE_UNDUMP, BPROC_NODE_SELF, 0);

    if (error)
        return client_result(error);
    signals_block(&mask);
    error = depart_gate(&depart);
    if (!error)
        error = undump_hand_over(&depart, fd);
    if (!error)
        error = remain_wait(&remain, depart.gate, depart.conn);
    if (!error)
        error = remain_become(&remain, depart.gate, NULL);
    signals_restore(&mask);
    depart_close(&depart);
    return client_result(client_error(error == -BPROC_PID_TAKEN ? -EAGAIN : error));
}

int bproc_execdump(int fd, int flags, const char *cmd, char *const argv[], char *const envp[])
{
    (void)fd;
    (void)flags;
    (void)argv;
    (void)envp;
    return client_result(cmd ? -ENOSYS : -EFAULT);
}
