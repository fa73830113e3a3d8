/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bproc-space: init of the pid and mount namespace in which a node's processes live.
 *
 * slaved starts it with descriptor 3 on a packet socket and both namespaces new. It makes its view
 * of the files, says so with an empty P_PING, then serves: launches, signals, the end of parents;
 * and reports what becomes of the launched ones. When the socket closes it ends, and the kernel
 * ends everything in the space. Nothing else ends it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/siginfo.h"
#include "migrate/criuready.h"
#include "migrate/space/census.h"
#include "migrate/space/keeper.h"
#include "migrate/space/mounts.h"
#include "migrate/space/numbers.h"
#include "migrate/space/registry.h"
#include "migrate/space/rootns.h"
#include "migrate/space/spec.h"

#define SLAVED 3
#define BINDS_MAX 16

static char *binds[BINDS_MAX];      /* what every root has of the node's own files */
static unsigned bind_count;
static bool rootless;                   /* the root that was to be had or none cannot be had */
static const char *home;                /* folder over which its subfolder "home" is laid */

static void event_send(bproc_proc event, pid_t pid, int status)
{
    status_msg body = { .pid = pid, .status = status };

    msg_send(SLAVED, K_EVENT, event, 0, 0, FRAME_XDR(status_msg), &body, NULL, 0);
}

static void entry_exited(struct entry *entry, int status)
{
    event_send(P_SPACE_EXITED, entry->pid, status);
    registry_remove(entry);
}

/* When nothing can make the process any more and it is not there, it never will be. */
static void entry_kill(struct entry *entry)
{
    entry->killed = true;
    if (kill(entry->pid, SIGKILL) == 0)
        return;
    if (entry->worker)
        kill(entry->worker, SIGKILL);
    else
        entry_exited(entry, SIGKILL);
}

static void worker_exited(pid_t pid)
{
    struct entry *entry = registry_find_worker(pid);

    if (!entry)
        return;
    entry->worker = 0;
    if (entry->killed)
        entry_kill(entry);
}

static void child_report(bproc_proc event, pid_t pid, int status)
{
    struct entry *entry = registry_find(pid);

    if (event == P_SPACE_EXITED && entry)
        entry_exited(entry, status);
    else if (entry)
        event_send(event, pid, status);
    else if (event == P_SPACE_EXITED) {
        worker_exited(pid);
        keeper_reaped(pid, status);
        census_reaped(pid, status);
    } else if (event == P_SPACE_STOPPED) {
        keeper_stopped(pid);
    }
}

static void signal_report(const signal_msg *signal)
{
    msg_send(SLAVED, K_EVENT, P_SPACE_SIGNAL, 0, 0, FRAME_XDR(signal_msg), signal, NULL, 0);
}

static void born_send(const born_msg *born)
{
    msg_send(SLAVED, K_EVENT, P_SPACE_BORN, 0, 0, FRAME_XDR(born_msg), born, NULL, 0);
}

static void group_send(const group_msg *group)
{
    msg_send(SLAVED, K_EVENT, P_SPACE_GROUP, 0, 0, FRAME_XDR(group_msg), group, NULL, 0);
}

static int entry_launch(struct entry *entry, const struct msg *msg, struct launch *launch)
{
    int error = -EPIPE;

    /* By another one of its keeper's, which waits there. */
    if (msg->header.proc == P_LAUNCH_FORK)
        return kill(entry->pid, 0) == 0 || kill(-entry->pid, 0) == 0 ? -EEXIST : 0;
    if (entry->keeper)
        error = keeper_launch(entry->keeper, msg, launch);
    if (error != -EPIPE)
        return error;
    if (entry->keeper)
        entry->keeper->users--;
    entry->keeper = NULL;
    return launch_start(msg, 0, launch);
}

/* By one that was born here; it is not to be forgotten, as the end of it is to be told. */
static int is_taken(pid_t pid)
{
    return census_pidfd(pid) >= 0 && kill(pid, 0) == 0;
}

/*
 * A keeper may stand in the way when the process it stands for comes here itself. One that still is
 * somebody's parent stays, and the process has to go elsewhere.
 */
static int launch(const struct msg *msg, struct launch *launched)
{
    struct entry *entry;
    int error = launch_parse(msg, launched);

    if (error)
        return error;
    if (rootless || registry_find(launched->pid) || keeper_is_needed(launched->pid) ||
        is_taken(launched->pid))
        return -EEXIST;
    keeper_dismiss(launched->pid);
    census_forget(launched->pid);
    entry = registry_add(launched->pid);
    if (!entry)
        return -ENOMEM;
    registry_set_keeper(entry, keeper_of_parent(launched, msg));
    entry->pgid = launched->pgid;
    entry->sid = launched->sid;
    census_hurry();
    error = entry_launch(entry, msg, launched);
    if (error)
        registry_remove(entry);
    else
        entry->worker = launched->worker;
    return error;
}

static void launch_refuse(const struct msg *msg, pid_t pid, int error)
{
    char text[128];
    error_ret ret = { .text = text };

    snprintf(text, sizeof(text), "cannot launch process %d: %s", (int)pid, strerror(-error));
    msg_send(SLAVED, K_REPLY, msg->header.proc, msg->header.serial, -error, FRAME_XDR(error_ret),
             &ret, NULL, 0);
}

static void launch_serve(const struct msg *msg)
{
    struct launch launched = { .pid = 0 };
    int error = launch(msg, &launched);
    launched_ret ret = { .pid = launched.pid, .sid = launched.session };

    if (error)
        launch_refuse(msg, launched.pid, error);
    else
        msg_send(SLAVED, K_REPLY, msg->header.proc, msg->header.serial, 0, FRAME_XDR(launched_ret),
                 &ret, NULL, 0);
}

static void all_kill(void)
{
    keepers_forsake();
    kill(-1, SIGKILL);
    registry_each(entry_kill);
}

static void signal_send(const signal_msg *signal, int pidfd)
{
    siginfo_send(signal, pidfd);
    census_hurry();
}

static void signal_serve(const struct msg *msg)
{
    struct entry *entry;
    signal_msg signal;

    if (frame_decode(FRAME_XDR(signal_msg), msg->body, msg->header.body_len, &signal,
                     sizeof(signal)))
        return;
    entry = registry_find(signal.pid);
    if (signal.pid == -1 && signal.signo == SIGKILL)
        all_kill();
    else if (entry && signal.signo == SIGKILL)
        entry_kill(entry);
    else if (entry)
        signal_send(&signal, -1);
    else if (census_pidfd(signal.pid) >= 0)
        signal_send(&signal, census_pidfd(signal.pid));
    if (signal.signo == SIGCONT)
        census_continued(signal.pid);
}

static void orphan_serve(const struct msg *msg)
{
    pid_msg body;

    if (frame_decode(FRAME_XDR(pid_msg), msg->body, msg->header.body_len, &body, sizeof(body)) == 0)
        keeper_dismiss(body.pid);
}

static void numbers_serve(const struct msg *msg)
{
    numbers_msg body;

    if (frame_decode(FRAME_XDR(numbers_msg), msg->body, msg->header.body_len, &body,
                     sizeof(body)) == 0)
        numbers_set(body.first, body.count);
}

static void root_answer(const struct msg *msg, const char *path, int firm)
{
    char what[BPROC_MAX_TEXT / 2], text[BPROC_MAX_TEXT];
    error_ret ret = { .text = text };
    int root = msg->header.nfds != 1 ? -EPROTO
                                     : rootns_change(strcmp(path, "/") != 0 ? path : NULL, binds,
                                                     bind_count, msg->fds[0], what, sizeof(what));

    if (root >= 0 || firm)
        rootless = root < 0;
    if (root >= 0) {
        msg_send(SLAVED, K_REPLY, P_SPACE_ROOT, msg->header.serial, 0, NULL, NULL, &root, 1);
        close(root);
        return;
    }
    snprintf(text, sizeof(text), "cannot use %s: %s", what, strerror(-root));
    msg_send(SLAVED, K_REPLY, P_SPACE_ROOT, msg->header.serial, -root, FRAME_XDR(error_ret), &ret,
             NULL, 0);
}

static void root_serve(const struct msg *msg)
{
    root_arg body;

    if (frame_decode(FRAME_XDR(root_arg), msg->body, msg->header.body_len, &body, sizeof(body)))
        return;
    root_answer(msg, body.path, body.firm);
    frame_free(FRAME_XDR(root_arg), &body, sizeof(body));
}

static void slaved_read(void)
{
    struct msg msg;
    int error = msg_recv_packet(SLAVED, &msg);

    if (error == -ECONNRESET)
        exit(0);
    if (error)
        return;
    switch (msg.header.proc) {
    case P_LAUNCH_EXEC:
    case P_LAUNCH_CRIU:
    case P_LAUNCH_FORK:
        launch_serve(&msg);
        break;
    case P_SPACE_SIGNAL:
        signal_serve(&msg);
        break;
    case P_SPACE_ORPHAN:
        orphan_serve(&msg);
        break;
    case P_SPACE_ROOT:
        root_serve(&msg);
        break;
    case P_SPACE_NUMBERS:
        numbers_serve(&msg);
        break;
    default:
        break;
    }
    msg_free(&msg);
}

static unsigned poll_fill(struct pollfd *polled, int signals)
{
    unsigned count = 0;

    polled[count++] = (struct pollfd){ .fd = SLAVED, .events = POLLIN };
    polled[count++] = (struct pollfd){ .fd = signals, .events = POLLIN };
    polled[count++] = (struct pollfd){ .fd = census_fd(), .events = POLLIN };
    for (const struct keeper *keeper = keeper_list; keeper; keeper = keeper->next)
        polled[count++] = (struct pollfd){ .fd = keeper->channel, .events = POLLIN };
    return count;
}

/* Ends are taken in before new launches, so that a number that is free again can be had. */
__attribute__((noreturn))
static void serve(int signals)
{
    static struct pollfd polled[KEEPERS_MAX + 3];
    int tidy = -1;

    for (;;) {
        unsigned count = poll_fill(polled, signals), index = 3;
        struct signalfd_siginfo info;
        int wait = census_look();

        if (tidy >= 0 && (wait < 0 || tidy < wait))
            wait = tidy;
        if (poll(polled, count, wait) < 0)
            continue;
        for (struct keeper *keeper = keeper_list; keeper; keeper = keeper->next)
            if (polled[index++].revents)
                keeper_read(keeper);
        if (polled[1].revents)
            while (read(signals, &info, sizeof(info)) == sizeof(info))
                ;
        reap_all(child_report);
        if (polled[2].revents)
            census_ends();
        if (polled[0].revents)
            slaved_read();
        tidy = keeper_tidy();
    }
}

static void limits_raise(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static const char *options_read(int argc, char **argv)
{
    static const struct option options[] = {
        { "root", required_argument, NULL, 'r' },
        { "bind", required_argument, NULL, 'b' },
        { "home", required_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 }
    };
    const char *root = NULL;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'r')
            root = optarg;
        else if (option == 'h')
            home = optarg;
        else if (option == 'b' && bind_count < BINDS_MAX)
            binds[bind_count++] = optarg;
        else
            exit(2);
    }
    return root;
}

int main(int argc, char **argv)
{
    static const struct census_ops ops = { .on_born = born_send, .on_group = group_send,
                                           .on_status = event_send };
    const char *root = options_read(argc, argv), *what = "/proc";
    int error, signals;

    if (getpid() != 1) {
        fprintf(stderr, "bproc-space: cannot start: not the init of a pid namespace; "
                        "slaved starts it\n");
        return 2;
    }
    setsid();
    error = launch_init();
    if (error)
        fprintf(stderr, "bproc-space: cannot open %s, so no process can be restored: %s\n",
                READY_LIBRARY, strerror(-error));
    error = mounts_make(root, binds, bind_count, &what);
    if (!error && home)
        error = mounts_home(home, &what);
    if (!error)
        error = rootns_init();
    if (error) {
        fprintf(stderr, "bproc-space: cannot mount %s: %s\n", what, strerror(-error));
        return 1;
    }
    numbers_init();
    limits_raise();
    spec_init();
    signals = reap_signals();
    if (signals < 0 || census_init(&ops) < 0 || fcntl(SLAVED, F_SETFD, FD_CLOEXEC) < 0) {
        fprintf(stderr, "bproc-space: cannot start: %s\n", strerror(errno));
        return 1;
    }
    keeper_init(child_report, signal_report);
    if (msg_send(SLAVED, K_EVENT, P_PING, 0, 0, NULL, NULL, NULL, 0) < 0)
        return 1;
    serve(signals);
}
