/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/siginfo.h"
#include "migrate/space/census.h"
#include "migrate/space/fate.h"
#include "migrate/space/keeper.h"
#include "migrate/space/numbers.h"
#include "migrate/space/orders.h"
#include "migrate/space/program.h"
#include "migrate/space/rootns.h"

static char *const *binds;
static unsigned bind_count;
static bool rootless;       /* the root that was to be had or none cannot be had */

void orders_init(char *const *all, unsigned count)
{
    binds = all;
    bind_count = count;
}

/* By init itself. */
static int launch_here(struct launch *launch)
{
    struct report report = { .kind = REPORT_ANSWER };
    struct room *room;
    int error = launch_start(&launch->errand, launch->fds, launch->nfds, 0, &report, &room);

    launch->worker = report.worker;
    launch->session = report.session;
    return error;
}

/* A keeper that left meanwhile, with its last child, has not heard of this one. */
static int entry_launch(struct entry *entry, struct launch *launch)
{
    int error;

    do {
        registry_set_keeper(entry, keeper_of_parent(launch));
        /* By another one of its keeper's, which waits there. */
        if (launch->errand.kind == 0)
            return kill(entry->pid, 0) == 0 || kill(-entry->pid, 0) == 0 ? -EEXIST : 0;
        error = entry->keeper ? keeper_launch(entry->keeper, launch) : -EPIPE;
    } while (error == -EPIPE && entry->keeper && entry->keeper->leaving);
    if (error != -EPIPE)
        return error;
    registry_set_keeper(entry, NULL);
    return launch_here(launch);
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
    room_look();
    if (msg->header.proc != P_LAUNCH_FORK)
        error = launch_write(msg, launched);
    if (error)
        return error;
    keeper_dismiss(launched->pid);
    census_forget(launched->pid);
    entry = registry_add(launched->pid);
    if (!entry)
        return -ENOMEM;
    entry->pgid = launched->pgid;
    entry->sid = launched->sid;
    census_hurry();
    error = entry_launch(entry, launched);
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

    snprintf(text, sizeof(text), "cannot launch process %d: %s", (int)pid,
             error != -EEXIST ? strerror(-error)
             : rootless       ? "this process space has no root"
                              : "its number is in use in this process space");
    msg_send(SLAVED, K_REPLY, msg->header.proc, msg->header.serial, -error, FRAME_XDR(error_ret),
             &ret, NULL, 0);
}

/* Who is told may run in our place at once, so that this comes before. */
static void fds_close(struct msg *msg)
{
    for (unsigned i = 0; i < msg->header.nfds; i++)
        close(msg_take_fd(msg, i));
}

/*
 * To whoever waits for its exec, from whom slaved hears of that. If he has gone the signal for that
 * is none to init.
 */
static void program_tell(const struct msg *msg)
{
    const int word = 0;

    (void)!write(msg->fds[PROGRAM_STATUS], &word, sizeof(word));
}

static void launch_serve(struct msg *msg)
{
    struct launch launched = { .pid = 0 };
    bool is_program = msg->header.proc == P_LAUNCH_EXEC;
    int error = launch(msg, &launched);
    launched_ret ret = { .pid = launched.pid, .sid = launched.session };

    launch_forget();
    if (is_program && !error)
        program_tell(msg);
    fds_close(msg);
    if (error)
        launch_refuse(msg, launched.pid, error);
    else if (!is_program)
        msg_send(SLAVED, K_REPLY, msg->header.proc, msg->header.serial, 0, FRAME_XDR(launched_ret),
                 &ret, NULL, 0);
}

static void all_kill(void)
{
    keepers_forsake();
    kill(-1, SIGKILL);
    registry_each(fate_kill);
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
        fate_kill(entry);
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

void orders_read(void)
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
    case P_PING:
        msg_send(SLAVED, K_REPLY, P_PING, msg.header.serial, 0, NULL, NULL, NULL, 0);
        break;
    default:
        break;
    }
    msg_free(&msg);
}
