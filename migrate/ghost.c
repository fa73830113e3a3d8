/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ghost: what the parent of a remote process has for a child. It looks like the process (its
 * arguments, its name), passes every signal on, stops, continues and ends as the process does.
 *
 * Life: the local child of an rfork, or the caller of a rexec, executes this program with all
 * signals blocked and the gate to the daemon as descriptor 3. Or what said that it was there ahead
 * of its process does (libbproc/standin.h); then the ghost waits at the gate until that runs,
 * unless it does already, and ends if it is not to be. When the daemon goes away the ghost waits
 * for it to come back; signals wait with it. Only SIGKILL and the daemon's word end a ghost.
 *
 * A ghost of what was forked on a node has no gate and begins as one whose daemon was away.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "migrate/ghost_child.h"
#include "migrate/ghosttext.h"
#include "migrate/ghostwire.h"

#define GATE 3
#define RETRY_FIRST_MS 20
#define RETRY_LAST_MS 1000
#define GROUP_RETRY_MS 20
#define GROUP_TRIES 100             /* for a group whose leader's ghost is on its way */

struct ghost {
    int gate;                   /* to the daemon; -1 while it is away */
    int signals;                /* signalfd */
    int parent;                 /* pidfd; -1 once the parent is dead */
    pid_t ppid;
    int node;
    int retry_ms;
    int64_t connected;          /* when it was, monotonic milliseconds */
    signal_msg unsent;          /* read, but the daemon went away; signo 0: none */
    pid_t pgid;                 /* the group it is to join */
    int group_tries;            /* left; 0: it has */
};

static void fd_null(void)
{
    int null = open("/dev/null", O_RDWR);

    for (int fd = 0; null >= 0 && fd <= 2; fd++)
        dup2(null, fd);
    if (null > 2)
        close(null);
}

static void signal_default(int signo)
{
    struct sigaction action = { .sa_handler = SIG_DFL };

    sigaction(signo, &action, NULL);
}

static void signal_take(int signo)
{
    sigset_t set;

    signal_default(signo);
    kill(getpid(), signo);
    sigemptyset(&set);
    sigaddset(&set, signo);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static void ghost_die(int status)
{
    const struct rlimit none = { 0, 0 };

    if (WIFEXITED(status))
        _exit(WEXITSTATUS(status));
    /* The core, if any, is where the process was. */
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    signal_take(WTERMSIG(status));
    _exit(128 + WTERMSIG(status));
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void gate_lost(struct ghost *ghost)
{
    close(ghost->gate);
    ghost->gate = -1;
    /* A daemon that does not want this ghost is not asked as fast as it answers. */
    if (now_ms() - ghost->connected > RETRY_LAST_MS)
        ghost->retry_ms = RETRY_FIRST_MS;
}

static int gate_send(struct ghost *ghost, const struct ghostwire *msg)
{
    int error = ghostwire_send(ghost->gate, msg);

    if (error)
        gate_lost(ghost);
    return error;
}

static void signal_send(struct ghost *ghost, const signal_msg *body)
{
    const struct ghostwire msg = {
        .proc = P_GHOST_SIGNAL, .count = 7,
        .words = { body->pid, body->signo, body->code, body->from_pid, (int)body->from_uid,
                   (int)(body->value >> 32), (int)body->value }
    };

    if (gate_send(ghost, &msg) < 0)
        ghost->unsent = *body;
}

/* What needs no words but who it is. */
static void news_send(struct ghost *ghost, bproc_proc news)
{
    const struct ghostwire msg = { .proc = news, .count = 1, .words = { getpid() } };

    gate_send(ghost, &msg);
}

static void gate_hello(struct ghost *ghost, int reconnect)
{
    const struct ghostwire hello = { .proc = P_GHOST_HELLO, .count = 4,
                                     .words = { getpid(), ghost->ppid, ghost->node, reconnect } };

    gate_send(ghost, &hello);
    if (reconnect && ghost->parent < 0 && ghost->gate >= 0)
        news_send(ghost, P_GHOST_ORPHAN);
    if (ghost->unsent.signo != 0 && ghost->gate >= 0) {
        signal_msg again = ghost->unsent;

        ghost->unsent.signo = 0;
        signal_send(ghost, &again);
    }
}

/* ---- children and group ---- */

static void child_tell(bproc_proc event, const status_msg *change, void *arg)
{
    const struct ghostwire msg = { .proc = event, .count = 2,
                                   .words = { change->pid, change->status } };
    struct ghost *ghost = arg;

    if (ghost->gate >= 0)
        gate_send(ghost, &msg);
}

/* Without a daemon there is nobody to tell: then they stay what they are until it is back. */
static void children_reap(struct ghost *ghost)
{
    if (ghost->gate >= 0)
        ghost_child_reap(child_tell, ghost);
}

static void child_start(struct ghost *ghost, pid_t pid)
{
    status_msg result = { .pid = pid, .status = -ghost_child_start(pid) };

    if (result.status)
        child_tell(P_GHOST_FORKED, &result, ghost);
}

static void group_try(struct ghost *ghost)
{
    ghost->group_tries = setpgid(0, ghost->pgid) == 0 ? 0 : ghost->group_tries - 1;
}

static void group_take(struct ghost *ghost, pid_t pgid, pid_t sid)
{
    if (sid == getpid() && getsid(0) != getpid())
        setsid();
    if (pgid == getpgrp())
        return;
    ghost->pgid = pgid;
    ghost->group_tries = GROUP_TRIES;
    group_try(ghost);
}

/* ---- the daemon ---- */

static void gate_reconnect(struct ghost *ghost)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const char *given = getenv("BPROC_SOCKET"), *path = given ? given : BPROC_SOCKET_PATH;
    int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ghost->retry_ms = ghost->retry_ms * 2 > RETRY_LAST_MS ? RETRY_LAST_MS : ghost->retry_ms * 2;
    for (size_t i = 0; i < sizeof(address.sun_path) - 1 && path[i]; i++)
        address.sun_path[i] = path[i];
    if (sock >= 0 && connect(sock, (struct sockaddr *)&address, sizeof(address)) == 0) {
        ghost->gate = sock;
        ghost->connected = now_ms();
        gate_hello(ghost, 1);
        children_reap(ghost);
        return;
    }
    if (sock >= 0)
        close(sock);
}

/* Passes one signal on. Its number, 0 when there is none. */
static int signal_forward(struct ghost *ghost)
{
    struct signalfd_siginfo info;
    signal_msg body;

    if (read(ghost->signals, &info, sizeof(info)) != sizeof(info))
        return 0;
    if (info.ssi_signo == SIGCHLD)
        children_reap(ghost);
    /* Of its children the process hears where it is. */
    if (info.ssi_signo == SIGCHLD && info.ssi_code > 0)
        return SIGCHLD;
    body.pid = getpid();
    body.signo = (int)info.ssi_signo;
    body.code = info.ssi_code;
    body.from_pid = (int)info.ssi_pid;
    body.from_uid = info.ssi_uid;
    body.value = (int64_t)info.ssi_ptr;
    signal_send(ghost, &body);
    return body.signo;
}

/*
 * A member of an orphaned process group is not stopped by the keyboard's signals: then harder. A
 * stop forgets a SIGCONT that waits, which is for the process and came after what is told here.
 */
static void ghost_stop(struct ghost *ghost, int status)
{
    sigset_t pending;
    int signo;

    while (ghost->gate >= 0 && (signo = signal_forward(ghost)) > 0)
        if (signo == SIGCONT) {
            news_send(ghost, P_GHOST_GOES_ON);
            return;
        }
    signal_take(WSTOPSIG(status));
    sigpending(&pending);
    if (WSTOPSIG(status) != SIGSTOP && !sigismember(&pending, SIGCONT))
        kill(getpid(), SIGSTOP);
}

/* Each begins with the process's number, but P_GHOST_MOVED and P_GHOST_FORK. */
static void message_take(struct ghost *ghost, const struct ghostwire *msg)
{
    switch (msg->proc) {
    case P_GHOST_MOVED:
        ghost->node = msg->words[0];
        break;
    case P_GHOST_EXIT:
        ghost_die(msg->words[1]);
        break;
    case P_GHOST_STOP:
        ghost_stop(ghost, msg->words[1]);
        break;
    case P_GHOST_FORK:
        child_start(ghost, msg->words[0]);
        break;
    case P_GHOST_GROUP:
        group_take(ghost, msg->words[1], msg->words[2]);
        break;
    default:
        break;
    }
}

static void gate_read(struct ghost *ghost)
{
    struct ghostwire msg = { .count = 0 };

    if (ghostwire_recv(ghost->gate, &msg) < 0)
        gate_lost(ghost);
    else
        message_take(ghost, &msg);
}

static void parent_died(struct ghost *ghost)
{
    close(ghost->parent);
    ghost->parent = -1;
    if (ghost->gate >= 0)
        news_send(ghost, P_GHOST_ORPHAN);
}

static int patience(const struct ghost *ghost)
{
    if (ghost->group_tries > 0)
        return GROUP_RETRY_MS;
    return ghost->gate >= 0 ? -1 : ghost->retry_ms;
}

__attribute__((noreturn))
static void ghost_run(struct ghost *ghost)
{
    for (;;) {
        struct pollfd fds[3] = {
            { .fd = ghost->gate, .events = POLLIN },
            { .fd = ghost->parent, .events = POLLIN },
            { .fd = ghost->gate >= 0 ? ghost->signals : -1, .events = POLLIN },
        };
        int ready = poll(fds, 3, patience(ghost));

        if (ready < 0)
            continue;
        if (ghost->group_tries > 0)
            group_try(ghost);
        if (fds[1].revents)
            parent_died(ghost);
        if (fds[0].revents && ghost->gate >= 0)
            gate_read(ghost);
        if (fds[2].revents && ghost->gate >= 0)
            signal_forward(ghost);
        if (ghost->gate < 0 && ready == 0)
            gate_reconnect(ghost);
    }
}

/* Until the process runs. If it does so without a ghost, what came meanwhile is for it alone. */
static void process_wait(struct ghost *ghost)
{
    struct ghostwire msg = { .count = 0 };

    if (ghostwire_recv(ghost->gate, &msg) < 0)
        kill(getpid(), SIGKILL);
    if (msg.proc != P_GATE || (msg.words[0] != GATE_GHOST && msg.words[0] != GATE_END))
        _exit(1);
    ghost->node = msg.words[1];
    if (msg.words[0] == GATE_GHOST)
        return;
    while (signal_forward(ghost) > 0)
        ;
    _exit(0);
}

/* -1: it is dead. */
static int parent_watch(pid_t parent)
{
    int fd = (int)syscall(SYS_pidfd_open, parent, 0);

    /* It may have died before this program was here, and its number been given away. */
    if (fd >= 0 && getppid() != parent) {
        close(fd);
        fd = -1;
    }
    return fd;
}

int main(int argc, char **argv)
{
    const char *node = getenv("BPROC_GHOST_NODE"), *ahead = getenv("BPROC_GHOST_AHEAD");
    const char *parent = getenv("BPROC_GHOST_PARENT");
    struct ghost ghost = { .gate = GATE, .node = node ? ghosttext_number(node) : -1 };
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    prctl(PR_SET_NAME, argc > 0 ? ghosttext_name(argv[0]) : "bproc-ghost");
    fd_null();
    (void)!chdir("/");
    if (fcntl(GATE, F_SETFD, FD_CLOEXEC) < 0)
        ghost.gate = -1;
    ghost.signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
    ghost.ppid = parent ? ghosttext_number(parent) : getppid();
    ghost.parent = parent_watch(ghost.ppid);
    ghost.retry_ms = RETRY_FIRST_MS;
    if (ghost.gate < 0)
        gate_reconnect(&ghost);
    else if (!ahead)
        gate_hello(&ghost, 0);
    else if (ahead[0] == 'w')
        process_wait(&ghost);
    /* What ended before has sent its signal to the program that was here. */
    children_reap(&ghost);
    if (ghost.parent < 0)
        parent_died(&ghost);
    ghost_run(&ghost);
}
