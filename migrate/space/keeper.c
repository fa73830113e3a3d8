/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "migrate/space/keeper.h"
#include "migrate/space/keeper_child.h"
#include "migrate/space/pidfork.h"
#include "migrate/space/registry.h"

#define WAKE_USEC 10000
#define WAKES_MAX 500
#define REAP_LOOKS 200

struct keeper *keeper_list;

static unsigned keeper_count;
static reap_fn *on_report;
static void (*on_signal)(const signal_msg *signal);

void keeper_init(reap_fn *report, void (*signal)(const signal_msg *signal))
{
    on_report = report;
    on_signal = signal;
}

static void keeper_close(struct keeper *keeper)
{
    if (keeper->channel >= 0)
        close(keeper->channel);
    keeper->channel = -1;
}

static struct keeper *keeper_find(pid_t ppid)
{
    struct keeper *keeper = keeper_list;

    while (keeper && (keeper->pid != ppid || keeper->channel < 0))
        keeper = keeper->next;
    return keeper;
}

/*
 * The next message. A keeper can be stopped, by whoever may signal the parent; it is woken, and
 * given up if that does not help.
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
    keeper->dismissed = true;
    kill(keeper->pid, SIGKILL);
    return -EPIPE;
}

static void signal_report(const struct keeper *keeper, const struct msg *msg)
{
    signal_msg body;

    if (frame_decode(FRAME_XDR(signal_msg), msg->body, msg->header.body_len, &body, sizeof(body)))
        return;
    body.pid = keeper->number;
    on_signal(&body);
}

/* One that shows in no signalfd; who sent it nobody knows, but that he might signal the parent. */
static void signal_guess(const struct keeper *keeper, int signo)
{
    signal_msg body = { .pid = keeper->number, .signo = signo, .from_uid = keeper->puid };

    if (keeper->users > 0 && !keeper->dismissed)
        on_signal(&body);
}

static void event_report(const struct keeper *keeper, const struct msg *msg)
{
    status_msg body;

    if (msg->header.kind == K_EVENT && msg->header.proc == P_SPACE_SIGNAL) {
        signal_report(keeper, msg);
        return;
    }
    if (msg->header.kind != K_EVENT || frame_decode(FRAME_XDR(status_msg), msg->body,
                                                    msg->header.body_len, &body, sizeof(body)))
        return;
    on_report(msg->header.proc, body.pid, body.status);
}

/*
 * Asks and waits for the answer, taking in what the keeper reports meanwhile. 0 with *answer,
 * which is the caller's, if that is not NULL; the keeper's -errno; -EPIPE when it is not there,
 * -EAGAIN when it goes over this.
 */
static int keeper_call(struct keeper *keeper, bproc_proc proc, xdrproc_t encode, const void *body,
                       const int *fds, unsigned nfds, struct msg *answer)
{
    struct msg msg;
    int error;

    if (msg_send(keeper->channel, K_CALL, proc, 0, 0, encode, body, fds, nfds) < 0) {
        keeper_close(keeper);
        return -EPIPE;
    }
    while (keeper_recv(keeper, &msg) == 0) {
        if (msg.header.kind == K_REPLY) {
            error = -msg.header.status;
            if (!error && answer)
                *answer = msg;
            else
                msg_free(&msg);
            return error;
        }
        event_report(keeper, &msg);
        msg_free(&msg);
    }
    keeper_close(keeper);
    return -EAGAIN;
}

static struct keeper *keeper_of_session(pid_t sid)
{
    struct keeper *keeper = keeper_list;

    while (keeper && (keeper->sid != sid || keeper->channel < 0))
        keeper = keeper->next;
    return keeper;
}

/* `elder` NULL: by init itself. The keeper's end of the channel goes with it. */
static pid_t keeper_fork(pid_t ppid, pid_t sid, struct keeper *elder, int channel)
{
    pid_msg ask = { .pid = ppid };
    int error;
    pid_t pid;

    if (!elder) {
        pid = pidfork(ppid);
        if (pid == 0)
            keeper_child_run(channel, ppid == sid);
        return pid;
    }
    error = keeper_call(elder, P_SPACE_KEEPER, FRAME_XDR(pid_msg), &ask, &channel, 1, NULL);
    return error ? error : ppid;
}

static struct keeper *keeper_make(pid_t ppid, pid_t sid, struct keeper *elder)
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
    keeper->sid = sid;
    keeper->number = ppid;
    keeper->pid = keeper_fork(ppid, sid, elder, channels[1]);
    close(channels[1]);
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

struct keeper *keeper_get(pid_t ppid, pid_t sid)
{
    struct keeper *keeper = keeper_find(ppid), *elder = NULL;

    if (keeper || ppid <= 1)
        return keeper;
    if (sid > 1)
        elder = keeper_of_session(sid);
    if (sid > 1 && !elder && sid != ppid)
        elder = keeper_make(sid, sid, NULL);
    if (!elder && sid != ppid)
        sid = getsid(0);
    return keeper_make(ppid, sid, elder);
}

void keeper_read(struct keeper *keeper)
{
    struct msg msg;

    if (keeper_recv(keeper, &msg) < 0) {
        keeper_close(keeper);
        return;
    }
    event_report(keeper, &msg);
    msg_free(&msg);
}

int keeper_launch(struct keeper *keeper, const struct msg *msg, struct launch *launch)
{
    struct frame_bytes body = { .bytes = msg->body, .len = msg->header.body_len };
    struct msg answer;
    launched_ret ret;
    int error = keeper_call(keeper, msg->header.proc, FRAME_XDR(frame_bytes), &body, msg->fds,
                            msg->header.nfds, &answer);

    /* Nobody watches over that process. */
    if (error == -EAGAIN)
        kill(launch->pid, SIGKILL);
    if (error)
        return error;
    error = frame_decode(FRAME_XDR(launched_ret), answer.body, answer.header.body_len, &ret,
                         sizeof(ret));
    msg_free(&answer);
    keeper->puid = launch->puid;
    launch->worker = error ? 0 : ret.pid;
    launch->session = error ? 0 : ret.sid;
    return error;
}

/* Until its number is free. One that another keeper has forked is reaped by that one. */
static void keeper_wait(pid_t pid)
{
    const struct timespec moment = { .tv_nsec = 500000 };

    if (waitpid(pid, NULL, 0) == pid)
        return;
    for (int i = 0; i < REAP_LOOKS && kill(pid, 0) == 0; i++)
        nanosleep(&moment, NULL);
}

/*
 * The leader of its session, whose child it was, reports its end like any other's. That has to be
 * heard before somebody else gets the number.
 */
static void end_hear(pid_t sid)
{
    struct keeper *leader = keeper_find(sid);

    if (leader)
        keeper_call(leader, P_PING, NULL, NULL, NULL, 0, NULL);
}

/*
 * By SIGKILL, as far as can be known in a moment: it reports all others. One that has ended by
 * itself, because it had no memory, say, tells nothing of its parent.
 */
static bool was_killed(struct keeper *keeper)
{
    const struct timespec moment = { .tv_nsec = 500000 };
    int status = 0;

    for (int i = 0; i < REAP_LOOKS && keeper->pid > 0; i++) {
        pid_t pid = waitpid(keeper->pid, &status, WNOHANG);

        if (pid > 0) {
            keeper->status = status;
            keeper->pid = 0;
        } else if (pid < 0) {
            end_hear(keeper->sid);
        }
        if (keeper->pid > 0)
            nanosleep(&moment, NULL);
    }
    return keeper->pid == 0 && WIFSIGNALED(keeper->status) && WTERMSIG(keeper->status) == SIGKILL;
}

static void keeper_unlink(const struct keeper *keeper)
{
    struct keeper **at = &keeper_list;

    while (*at != keeper)
        at = &(*at)->next;
    *at = keeper->next;
    keeper_count--;
}

/* Everything the keeper said before it left counts. */
static void keeper_end(struct keeper *keeper)
{
    if (keeper->channel < 0 && !keeper->dismissed && was_killed(keeper))
        signal_guess(keeper, SIGKILL);
    keeper->dismissed = true;
    if (keeper->channel >= 0)
        msg_send(keeper->channel, K_EVENT, P_SPACE_ORPHAN, 0, 0, NULL, NULL, NULL, 0);
    while (keeper->channel >= 0)
        keeper_read(keeper);
    if (keeper->pid > 0) {
        /* It is on its way out, unless somebody stopped it there. */
        kill(keeper->pid, SIGKILL);
        keeper_wait(keeper->pid);
    }
    registry_forget_keeper(keeper);
    keeper_unlink(keeper);
    free(keeper);
}

void keeper_reaped(pid_t pid, int status)
{
    for (struct keeper *keeper = keeper_list; keeper; keeper = keeper->next)
        if (keeper->pid == pid) {
            keeper->pid = 0;
            keeper->status = status;
        }
}

void keeper_stopped(pid_t pid)
{
    const struct keeper *keeper = keeper_list;

    while (keeper && keeper->pid != pid)
        keeper = keeper->next;
    if (!keeper)
        return;
    kill(pid, SIGCONT);
    signal_guess(keeper, SIGSTOP);
}

void keepers_forsake(void)
{
    for (struct keeper *keeper = keeper_list; keeper; keeper = keeper->next)
        keeper->dismissed = true;
}

bool keeper_is(pid_t pid)
{
    const struct keeper *keeper = keeper_list;

    while (keeper && keeper->pid != pid)
        keeper = keeper->next;
    return keeper != NULL;
}

/* Without it nobody could get its number again, as that would still name the session. */
static bool is_leading(const struct keeper *keeper)
{
    const struct keeper *other = keeper_list;

    if (keeper->number != keeper->sid)
        return false;
    while (other && (other == keeper || other->sid != keeper->sid))
        other = other->next;
    return other != NULL;
}

bool keeper_is_needed(pid_t pid)
{
    const struct keeper *keeper = keeper_find(pid);

    return keeper && (keeper->users > 0 || is_leading(keeper));
}

void keeper_dismiss(pid_t ppid)
{
    for (struct keeper **at = &keeper_list; *at; at = &(*at)->next) {
        struct keeper *keeper = *at;
        pid_t sid;

        if (keeper->pid != ppid)
            continue;
        sid = keeper->sid;
        keeper_end(keeper);
        end_hear(sid);
        return;
    }
}

void keeper_tidy(void)
{
    struct keeper **at = &keeper_list;

    while (*at) {
        struct keeper *keeper = *at;

        if ((keeper->users > 0 || is_leading(keeper)) && keeper->channel >= 0) {
            at = &keeper->next;
            continue;
        }
        keeper_end(keeper);
    }
}
