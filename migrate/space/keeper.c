/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "migrate/space/keeper.h"
#include "migrate/space/keeper_child.h"
#include "migrate/space/pidfork.h"
#include "migrate/space/registry.h"

#define WAKE_USEC 100000
#define WAKES_MAX 50

struct keeper *keeper_list;

static unsigned keeper_count;
static reap_fn *on_report;

void keeper_init(reap_fn *report)
{
    on_report = report;
}

static void keeper_close(struct keeper *keeper)
{
    if (keeper->channel >= 0)
        close(keeper->channel);
    keeper->channel = -1;
}

static pid_t keeper_fork(pid_t ppid, int channels[2])
{
    pid_t pid = pidfork(ppid);

    if (pid == 0)
        keeper_child_run(channels[1]);
    if (pid > 0)
        setpgid(pid, pid);
    close(channels[1]);
    return pid;
}

static struct keeper *keeper_make(pid_t ppid)
{
    struct timeval patience = { .tv_usec = WAKE_USEC };
    struct keeper *keeper = keeper_count < KEEPERS_MAX ? calloc(1, sizeof(*keeper)) : NULL;
    int channels[2];

    if (!keeper)
        return NULL;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channels) < 0) {
        free(keeper);
        return NULL;
    }
    keeper->channel = channels[0];
    keeper->pid = keeper_fork(ppid, channels);
    if (keeper->pid < 0) {
        keeper_close(keeper);
        free(keeper);
        return NULL;
    }
    setsockopt(keeper->channel, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    keeper->next = keeper_list;
    keeper_list = keeper;
    keeper_count++;
    return keeper;
}

static struct keeper *keeper_find(pid_t ppid)
{
    struct keeper *keeper = keeper_list;

    while (keeper && (keeper->pid != ppid || keeper->channel < 0))
        keeper = keeper->next;
    return keeper;
}

struct keeper *keeper_get(pid_t ppid)
{
    struct keeper *keeper = keeper_find(ppid);

    if (keeper || ppid <= 1)
        return keeper;
    return keeper_make(ppid);
}

/*
 * The next message. A keeper can be stopped, by a process of root that stops its whole group; it
 * is woken, and given up if that does not help.
 */
static int keeper_recv(struct keeper *keeper, struct msg *msg)
{
    int error;

    for (int wakes = 0; wakes < WAKES_MAX; wakes++) {
        error = msg_recv_packet(keeper->channel, msg);
        if (error != -EAGAIN)
            return error;
        kill(keeper->pid, SIGCONT);
    }
    kill(keeper->pid, SIGKILL);
    return -EPIPE;
}

static void event_report(const struct msg *msg)
{
    status_msg body;

    if (msg->header.kind != K_EVENT || frame_decode(FRAME_XDR(status_msg), msg->body,
                                                    msg->header.body_len, &body, sizeof(body)))
        return;
    on_report(msg->header.proc, body.pid, body.status);
}

void keeper_read(struct keeper *keeper)
{
    struct msg msg;

    if (keeper_recv(keeper, &msg) < 0) {
        keeper_close(keeper);
        return;
    }
    event_report(&msg);
    msg_free(&msg);
}

static int launch_result(const struct msg *msg, struct launch *launch)
{
    launched_ret ret;

    if (msg->header.status != 0)
        return -msg->header.status;
    if (frame_decode(FRAME_XDR(launched_ret), msg->body, msg->header.body_len, &ret, sizeof(ret)))
        return -EPROTO;
    launch->worker = ret.pid;
    return 0;
}

int keeper_launch(struct keeper *keeper, const struct msg *msg, struct launch *launch)
{
    struct frame_bytes body = { .bytes = msg->body, .len = msg->header.body_len };
    struct msg answer;
    int error = msg_send(keeper->channel, K_CALL, msg->header.proc, msg->header.serial, 0,
                         FRAME_XDR(frame_bytes), &body, msg->fds, msg->header.nfds);

    if (error) {
        keeper_close(keeper);
        return -EPIPE;
    }
    while (keeper_recv(keeper, &answer) == 0) {
        if (answer.header.kind == K_REPLY) {
            error = launch_result(&answer, launch);
            msg_free(&answer);
            return error;
        }
        event_report(&answer);
        msg_free(&answer);
    }
    keeper_close(keeper);
    /* Nobody watches over that process. */
    kill(launch->pid, SIGKILL);
    return -EAGAIN;
}

/* Everything the keeper said before it left counts. */
static void keeper_end(struct keeper *keeper)
{
    if (keeper->channel >= 0)
        msg_send(keeper->channel, K_EVENT, P_SPACE_ORPHAN, 0, 0, NULL, NULL, NULL, 0);
    while (keeper->channel >= 0)
        keeper_read(keeper);
    if (keeper->pid > 0) {
        /* It is on its way out, unless somebody stopped it there. */
        kill(keeper->pid, SIGKILL);
        waitpid(keeper->pid, NULL, 0);
    }
    registry_forget_keeper(keeper);
    free(keeper);
    keeper_count--;
}

void keeper_reaped(pid_t pid)
{
    for (struct keeper *keeper = keeper_list; keeper; keeper = keeper->next)
        if (keeper->pid == pid)
            keeper->pid = 0;
}

bool keeper_is(pid_t pid)
{
    const struct keeper *keeper = keeper_list;

    while (keeper && keeper->pid != pid)
        keeper = keeper->next;
    return keeper != NULL;
}

void keeper_dismiss(pid_t ppid)
{
    for (struct keeper **at = &keeper_list; *at; at = &(*at)->next) {
        struct keeper *keeper = *at;

        if (keeper->pid != ppid)
            continue;
        *at = keeper->next;
        keeper_end(keeper);
        return;
    }
}

void keeper_tidy(void)
{
    struct keeper **at = &keeper_list;

    while (*at) {
        struct keeper *keeper = *at;

        if (keeper->users > 0 && keeper->channel >= 0) {
            at = &keeper->next;
            continue;
        }
        *at = keeper->next;
        keeper_end(keeper);
    }
}
