/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process space without slaved: its socket's other end, and the jobs that are launched there,
 * which are the test program itself (space_roles.h).
 */
#ifndef TESTS_SPACE_JOBS_H
#define TESTS_SPACE_JOBS_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/msg.h"
#include "tests/unit/space_roles.h"
#include "tests/unit/tap.h"

#define PARENT 4000
#define FD_FILE 78

#define EARLY_MAX 8

static struct msg early[EARLY_MAX];
static unsigned early_count;
static int space;
static pid_t space_pid;
static char self[4096];

/* ---- the other end of the space's socket -------------------------------------------------- */

static bool space_start(void)
{
    struct timeval patience = { .tv_sec = 60 };
    struct msg msg;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return false;
    space_pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, NULL, NULL, NULL,
                               NULL);
    if (space_pid == 0) {
        if (ends[1] == 3)
            fcntl(3, F_SETFD, 0);
        else
            dup2(ends[1], 3);
        execl(SPACE_PROGRAM, "bproc-space", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    space = ends[0];
    setsockopt(space, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (space_pid < 0 || msg_recv_packet(space, &msg) < 0)
        return false;
    msg_free(&msg);
    return true;
}

struct job {
    pid_t pid, ppid, pgid, sid;
    uid_t uid;
    const char *cmd, *arg;
    unsigned words;             /* further arguments, of 99 bytes */
    uint64_t blocked;
    const char *file;           /* opened before the exec; NULL */
    int status;                 /* our end of the status pipe */
    int failure;                /* what has come there: why it is not executed */
    int in, out;                /* our ends of its standard streams */
};

static int spec_fd(const struct job *job)
{
    char **argv = calloc(2 + job->words, sizeof(*argv)), word[100] = "";
    char *envp[] = { (char[]){ "COLOUR=green" } };
    exec_file file = { .target = FD_FILE, .flags = O_RDONLY,
                       .path = (char *)(uintptr_t)job->file };
    limit_pair limit = { .which = RLIMIT_MSGQUEUE, .soft = 4096, .hard = 8192 };
    exec_spec spec = { .cmd = (char *)(uintptr_t)job->cmd, .cwd = (char[]){ "/usr" },
                       .umask_bits = 027, .nice_value = 5, .blocked = job->blocked,
                       .argv = { 2 + job->words, argv },
                       .envp = { 1, envp }, .limits = { 1, &limit },
                       .files = { job->file ? 1 : 0, &file } };
    int fd = memfd_create("spec", MFD_CLOEXEC);
    uint8_t *bytes;
    size_t len;

    argv[0] = spec.cmd;
    argv[1] = (char *)(uintptr_t)job->arg;
    for (unsigned i = 0; i < job->words; i++)
        argv[2 + i] = memset(word, 'x', sizeof(word) - 1);
    if (fd < 0 || frame_encode(FRAME_XDR(exec_spec), &spec, 1 << 24, &bytes, &len) < 0)
        return -1;
    free(argv);
    if (write(fd, bytes, len) != (ssize_t)len)
        diag("cannot write the specification");
    free(bytes);
    return fd;
}

static signal_msg passed;               /* the last signal for a parent */

/* Events can come before a refusal; they are kept for event_next(). 1: one of those. */
static int refusal_read(void)
{
    struct msg msg;
    int error = msg_recv_packet(space, &msg);

    if (error)
        return error;
    if (msg.header.kind == K_EVENT && early_count < EARLY_MAX) {
        early[early_count++] = msg;
        return 1;
    }
    error = msg.header.serial == 5 && msg.header.kind == K_REPLY && msg.header.status > 0
                ? -msg.header.status : -EPROTO;
    msg_free(&msg);
    return error;
}

/* A word of init's at the status pipe, which the program's errno may be before; or a refusal. */
static int launch_answer(struct job *job)
{
    struct pollfd polled[2] = { { .fd = job->status, .events = POLLIN },
                                { .fd = space, .events = POLLIN } };
    int answer = 1, word;

    while (answer == 1) {
        if (poll(polled, 2, 60000) <= 0)
            return -ETIMEDOUT;
        if (polled[0].revents && read(job->status, &word, sizeof(word)) != sizeof(word))
            polled[0].fd = -1;
        else if (polled[0].revents && word == 0)
            answer = 0;
        else if (polled[0].revents)
            job->failure = word;
        else
            answer = refusal_read();
    }
    return answer;
}

/* launch_answer() says what comes of it. */
static int job_ask(struct job *job)
{
    unsigned groups[] = { 10, 20, 30 };
    int targets[] = { 0, 1, FD_FAR }, index[] = { 2, 3, 3 };
    launch_exec_arg arg = { .who = { .pid = job->pid, .ppid = job->ppid, .pgid = job->pgid,
                                     .sid = job->sid },
                            .uid = job->uid, .gid = job->uid, .groups = { 3, groups },
                            .least = { .capabilities = ~0ULL },
                            .targets = { 3, targets }, .fd_index = { 3, index },
                            .exe_index = 0 };
    int in[2], out[2], status[2];
    int error;

    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(status, O_CLOEXEC) < 0)
        return -errno;
    int fds[] = { spec_fd(job), status[1], in[0], out[1] };

    error = msg_send(space, K_CALL, P_LAUNCH_EXEC, 5, 0, FRAME_XDR(launch_exec_arg), &arg, fds, 4);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    job->status = status[0];
    job->failure = 0;
    job->in = in[1];
    job->out = out[0];
    return error;
}

static int job_launch(struct job *job)
{
    int error = job_ask(job);

    return error ? error : launch_answer(job);
}

static int job_exec_error(const struct job *job)
{
    int error = job->failure;

    return error || read(job->status, &error, sizeof(error)) == sizeof(error) ? error : 0;
}

/* 0: there is none. */
static int message_next(struct msg *msg)
{
    if (early_count == 0)
        return msg_recv_packet(space, msg) == 0;
    *msg = early[0];
    memmove(early, early + 1, --early_count * sizeof(early[0]));
    return 1;
}

/* What a keeper got is for whom it stands for. */
static int passed_on(struct msg *msg)
{
    signal_msg body;

    if (msg->header.kind != K_EVENT || msg->header.proc != P_SPACE_SIGNAL ||
        frame_decode(FRAME_XDR(signal_msg), msg->body, msg->header.body_len, &body,
                     sizeof(body)) < 0)
        return 0;
    passed = body;
    msg_free(msg);
    return 1;
}

/* For when nothing else is due. */
static int passed_is(pid_t pid, int signo)
{
    struct msg msg;

    while ((passed.pid != pid || passed.signo != signo) && message_next(&msg))
        if (!passed_on(&msg))
            msg_free(&msg);
    return passed.pid == pid && passed.signo == signo;
}

/* The next event: its kind and, in *pid and *status, what it says. */
/* What the census finds in passing, or not: a group other than the one that was asked for. */
static int found_by_the_way(struct msg *msg)
{
    if (msg->header.kind != K_EVENT || msg->header.proc != P_SPACE_GROUP)
        return 0;
    msg_free(msg);
    return 1;
}

static bproc_proc event_next(pid_t *pid, int *status)
{
    bproc_proc event = 0;
    status_msg body;
    struct msg msg;

    *pid = *status = -1;
    do {
        if (!message_next(&msg))
            return 0;
    } while (passed_on(&msg) || found_by_the_way(&msg));
    if (msg.header.kind == K_EVENT && frame_decode(FRAME_XDR(status_msg), msg.body,
                                                   msg.header.body_len, &body, sizeof(body)) == 0) {
        event = msg.header.proc;
        *pid = body.pid;
        *status = body.status;
    }
    msg_free(&msg);
    return event;
}

static void exited_is(pid_t want, int status, const char *name)
{
    int got_status;
    pid_t pid;
    bproc_proc event = event_next(&pid, &got_status);

    ok(event == P_SPACE_EXITED && pid == want && got_status == status, "%s", name);
    if (event != P_SPACE_EXITED || pid != want || got_status != status)
        diag("got event %d pid %d status %#x", (int)event, (int)pid, (unsigned)got_status);
}

static void signal_job(pid_t pid, int signo, int code, long value)
{
    signal_msg arg = { .pid = pid, .signo = signo, .code = code, .from_pid = 321, .from_uid = 54,
                       .value = value };

    msg_send(space, K_EVENT, P_SPACE_SIGNAL, 0, 0, FRAME_XDR(signal_msg), &arg, NULL, 0);
}

static void orphan(pid_t ppid)
{
    pid_msg arg = { .pid = ppid };

    msg_send(space, K_EVENT, P_SPACE_ORPHAN, 0, 0, FRAME_XDR(pid_msg), &arg, NULL, 0);
}

static const char *output(const struct job *job, bool all)
{
    static char text[1024];
    size_t got = 0;
    ssize_t n;

    while (got < sizeof(text) - 1 && (n = read(job->out, text + got, sizeof(text) - 1 - got)) > 0) {
        got += (size_t)n;
        if (!all)
            break;
    }
    text[got] = '\0';
    return text;
}

static void job_end(const struct job *job)
{
    close(job->status);
    close(job->in);
    close(job->out);
}

/* In whichever order: that a pipe has ended is not yet the end of who had it. */
static bool two_exited(pid_t one, int one_status, pid_t other, int other_status)
{
    int status[2], first;
    pid_t pid[2];

    for (int i = 0; i < 2; i++)
        if (event_next(&pid[i], &status[i]) != P_SPACE_EXITED)
            return false;
    first = pid[0] == other;
    return pid[first] == one && status[first] == one_status && pid[!first] == other &&
           status[!first] == other_status;
}

#endif
