/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/conn.h"
#include "common/log.h"
#include "slaved/child.h"
#include "slaved/seconds.h"
#include "slaved/space.h"

#define ARGS_MAX 40

enum { FIRST, SECOND, SPACES };

static struct {
    struct conn *conns[SPACES];
    pid_t pids[SPACES];
    struct event_base *base;
    char *argv[ARGS_MAX];
    const struct space_ops *ops;
    void (*on_stopped)(const char *words);
    numbers_msg numbers;
    char *root;                 /* that processes have since a chroot; NULL: there was none */
    char *wanted;               /* the one that the first space is making */
} space;

static void status_take(struct conn *conn, const struct frame_header *header, const uint8_t *body)
{
    status_msg status;

    if (conn_decode(status_msg, header, body, &status) < 0) {
        conn_close(conn, "status does not decode");
        return;
    }
    if (header->proc == P_SPACE_EXITED && conn == space.conns[SECOND])
        seconds_remove(status.pid);
    space.ops->on_status(header->proc, status.pid, status.status,
                         conn == space.conns[SECOND]);
}

static void born_take(struct conn *conn, const struct frame_header *header, const uint8_t *body)
{
    born_msg born;

    if (conn_decode(born_msg, header, body, &born) < 0) {
        conn_close(conn, "new process does not decode");
        return;
    }
    if (conn == space.conns[SECOND])
        seconds_add(born.id.pid, 0);
    space.ops->on_born(&born, conn == space.conns[SECOND]);
    frame_free(FRAME_XDR(born_msg), &born, sizeof(born));
}

static void group_take(struct conn *conn, const struct frame_header *header, const uint8_t *body)
{
    group_msg group;

    if (conn_decode(group_msg, header, body, &group) < 0)
        conn_close(conn, "process group does not decode");
    else
        space.ops->on_group(&group, conn == space.conns[SECOND]);
}

static void signal_take(struct conn *conn, const struct frame_header *header, const uint8_t *body)
{
    signal_msg signal;

    if (conn_decode(signal_msg, header, body, &signal) < 0)
        conn_close(conn, "signal does not decode");
    else
        space.ops->on_signal(&signal);
}

/* Processes have the first space's root or none; what the second one cannot do it does not do. */
static void second_reroot(void)
{
    root_arg arg = { .path = space.root, .firm = 1 };
    int ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

    conn_send(space.conns[SECOND], K_CALL, P_SPACE_ROOT, 0, 0, FRAME_XDR(root_arg), &arg, &ns,
              ns < 0 ? 0 : 1);
    if (ns >= 0)
        close(ns);
}

static void second_rooted(const struct frame_header *header, const uint8_t *body)
{
    error_ret ret;

    if (header->status == 0 || conn_decode(error_ret, header, body, &ret) < 0)
        return;
    log_warnx("cannot change the root to %s for processes whose number is taken, so none can "
              "come: %s", space.root, ret.text);
    frame_free(FRAME_XDR(error_ret), &ret, sizeof(ret));
}

static void root_take(struct conn *conn, const struct frame_header *header, const uint8_t *body,
                      int *fds)
{
    if (conn == space.conns[SECOND]) {
        second_rooted(header, body);
        return;
    }
    if (header->status == 0 && space.wanted) {
        free(space.root);
        space.root = space.wanted;
        space.wanted = NULL;
        if (space.conns[SECOND])
            second_reroot();
    }
    space.ops->on_root(header, body, fds);
}

static void space_message(struct conn *conn, const struct frame_header *header,
                          const uint8_t *body, int *fds, void *arg)
{
    (void)arg;
    switch (header->proc) {
    case P_PING:
        if (header->kind == K_REPLY)
            space.ops->on_answer(header->serial);
        else if (conn == space.conns[FIRST])
            space.ops->on_ready();
        break;
    case P_SPACE_ROOT:
        root_take(conn, header, body, fds);
        break;
    case P_LAUNCH_EXEC:
    case P_LAUNCH_CRIU:
    case P_LAUNCH_FORK:
        if (conn == space.conns[SECOND] && header->status != 0)
            seconds_refused(header->serial);
        space.ops->on_launched(header->serial, header, body);
        break;
    case P_SPACE_EXITED:
    case P_SPACE_STOPPED:
    case P_SPACE_CONTINUED:
        status_take(conn, header, body);
        break;
    case P_SPACE_BORN:
        born_take(conn, header, body);
        break;
    case P_SPACE_GROUP:
        group_take(conn, header, body);
        break;
    case P_SPACE_SIGNAL:
        signal_take(conn, header, body);
        break;
    default:
        conn_close(conn, "message out of place");
    }
}

/* The end of the process itself tells the rest. */
static void space_closed(struct conn *conn, const char *reason, void *arg)
{
    (void)reason;
    (void)arg;
    space.conns[conn == space.conns[SECOND] ? SECOND : FIRST] = NULL;
}

static const struct conn_ops space_conn_ops = { .on_message = space_message,
                                                .on_close = space_closed };

static void space_ended(int which, const char *words)
{
    space.pids[which] = 0;
    conn_close(space.conns[which], "the space has ended");
    if (!space.on_stopped)
        space.ops->on_end(words);
    else if (space.pids[FIRST] == 0 && space.pids[SECOND] == 0)
        space.on_stopped(words);
}

static void first_ended(const char *words)
{
    space_ended(FIRST, words);
}

static void second_ended(const char *words)
{
    space_ended(SECOND, words);
}

static void arguments_make(char **argv, const char *root, const char *over,
                           const char *const *binds)
{
    unsigned count = 0;

    argv[count++] = (char *)(uintptr_t)"bproc-space";
    if (root) {
        argv[count++] = (char *)(uintptr_t)"--root";
        argv[count++] = (char *)(uintptr_t)root;
    }
    if (over) {
        argv[count++] = (char *)(uintptr_t)"--home";
        argv[count++] = (char *)(uintptr_t)over;
    }
    for (; *binds && count + 3 < ARGS_MAX; binds++) {
        argv[count++] = (char *)(uintptr_t)"--bind";
        argv[count++] = (char *)(uintptr_t)*binds;
    }
    argv[count] = NULL;
}

static int space_open(int which)
{
    int ends[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    pid = child_start("bproc-space", space.argv, &ends[1], 1, CLONE_NEWPID | CLONE_NEWNS,
                      which == FIRST ? first_ended : second_ended);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return pid;
    }
    space.pids[which] = pid;
    space.conns[which] = conn_new_local(space.base, ends[0], &space_conn_ops, NULL);
    return space.conns[which] ? 0 : -ENOMEM;
}

int space_start(struct event_base *base, const char *root, const char *over,
                const char *const *binds, const struct space_ops *ops)
{
    space.base = base;
    space.ops = ops;
    arguments_make(space.argv, root, over, binds);
    return space_open(FIRST);
}

/* The last quarter of the block is the second one's. */
static void numbers_send(int which)
{
    numbers_msg numbers = space.numbers;
    int last = numbers.count / 4;

    numbers.count = which == SECOND ? last : numbers.count - last;
    if (which == SECOND)
        numbers.first += space.numbers.count - last;
    conn_event(space.conns[which], P_SPACE_NUMBERS, FRAME_XDR(numbers_msg), &numbers);
}

static int second_open(void)
{
    int error;

    if (space.conns[SECOND])
        return 0;
    error = space_open(SECOND);
    if (error)
        return error;
    numbers_send(SECOND);
    if (space.root)
        second_reroot();
    return 0;
}

static int second_enter(uint32_t serial, pid_t pid)
{
    int error = second_open();

    return error ? error : seconds_add(pid, serial);
}

int space_launch(uint32_t serial, const launch_who *who, const struct frame_header *header,
                 const uint8_t *body, const int *fds)
{
    struct frame_bytes bytes = { .bytes = body, .len = header->body_len };
    int error = who->second ? second_enter(serial, who->pid) : 0;

    if (error)
        return error;
    return conn_send(space.conns[who->second ? SECOND : FIRST], K_CALL, header->proc, serial, 0,
                     FRAME_XDR(frame_bytes), &bytes, fds, header->nfds);
}

void space_signal(const signal_msg *signal, int second)
{
    for (int which = FIRST; which < SPACES; which++)
        if (space.conns[which] && (signal->pid == -1 || which == (second ? SECOND : FIRST)))
            conn_event(space.conns[which], P_SPACE_SIGNAL, FRAME_XDR(signal_msg), signal);
}

void space_kill(pid_t pid, int second)
{
    signal_msg signal = { .pid = pid, .signo = SIGKILL, .code = SI_USER };

    space_signal(&signal, second);
}

unsigned space_ask(uint32_t serial)
{
    unsigned count = 0;

    for (int which = FIRST; which < SPACES; which++)
        if (space.conns[which])
            count += conn_send(space.conns[which], K_CALL, P_PING, serial, 0, NULL, NULL, NULL,
                               0) == 0;
    return count;
}

void space_orphan(pid_t ppid)
{
    pid_msg body = { .pid = ppid };

    for (int which = FIRST; which < SPACES; which++)
        if (space.conns[which])
            conn_event(space.conns[which], P_SPACE_ORPHAN, FRAME_XDR(pid_msg), &body);
}

void space_numbers(const numbers_msg *numbers)
{
    space.numbers = *numbers;
    for (int which = FIRST; which < SPACES; which++)
        if (space.conns[which])
            numbers_send(which);
}

int space_root(const char *path, int node_ns)
{
    root_arg arg = { .path = (char *)(uintptr_t)path };

    free(space.wanted);
    space.wanted = strdup(path);
    if (!space.wanted)
        return -ENOMEM;
    return conn_send(space.conns[FIRST], K_CALL, P_SPACE_ROOT, 0, 0, FRAME_XDR(root_arg), &arg,
                     &node_ns, 1);
}

pid_t space_pid(void)
{
    return space.pids[FIRST];
}

pid_t space_second_pid(void)
{
    return space.pids[SECOND];
}

static int namespace_look(pid_t pid, struct stat *st)
{
    char path[40];

    snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
    return stat(path, st);
}

pid_t space_of(pid_t task)
{
    struct stat its, ours;

    if (namespace_look(task, &its) < 0)
        return 0;
    for (int which = FIRST; which < SPACES; which++)
        if (space.pids[which] && namespace_look(space.pids[which], &ours) == 0 &&
            its.st_dev == ours.st_dev && its.st_ino == ours.st_ino)
            return space.pids[which];
    return 0;
}

void space_stop(void (*on_stopped)(const char *words))
{
    seconds_clear();
    space.on_stopped = on_stopped;
    if (space.pids[FIRST] == 0 && space.pids[SECOND] == 0)
        on_stopped("it was not running");
    conn_close(space.conns[FIRST], "stopped");
    conn_close(space.conns[SECOND], "stopped");
}
