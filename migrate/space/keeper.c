/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "migrate/space/keeper_child.h"
#include "migrate/space/keeper_impl.h"
#include "migrate/space/pidfork.h"

#define WAKE_USEC 10000
#define WAKES_MAX 500

struct keeper *keeper_list;
unsigned keeper_count;

static reap_fn *on_report;
static void (*on_signal)(const signal_msg *signal);

void keeper_init(reap_fn *report, void (*signal)(const signal_msg *signal))
{
    on_report = report;
    on_signal = signal;
}

void keeper_close(struct keeper *keeper)
{
    if (keeper->channel >= 0)
        close(keeper->channel);
    keeper->channel = -1;
}

struct keeper *keeper_find(pid_t ppid)
{
    struct keeper *keeper = keeper_list;

    while (keeper && (keeper->pid != ppid || keeper->channel < 0 || keeper->leaving))
        keeper = keeper->next;
    return keeper;
}

/* Once it goes on nobody else hears that it was stopped. */
static void keeper_wake(const struct keeper *keeper)
{
    siginfo_t info = { .si_pid = 0 };

    if (waitid(P_PID, (id_t)keeper->pid, &info, WSTOPPED | WNOHANG) == 0 && info.si_pid != 0)
        keeper_signal_guess(keeper, SIGSTOP);
    kill(keeper->pid, SIGCONT);
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
        keeper_wake(keeper);
    }
    keeper->dismissed = true;
    kill(keeper->pid, SIGKILL);
    return -EPIPE;
}

static void signal_report(const struct keeper *keeper, const struct msg *msg)
{
    signal_msg body;

    if (keeper->childless ||
        frame_decode(FRAME_XDR(signal_msg), msg->body, msg->header.body_len, &body, sizeof(body)))
        return;
    body.pid = keeper->number;
    on_signal(&body);
}

void keeper_signal_guess(const struct keeper *keeper, int signo)
{
    signal_msg body = { .pid = keeper->number, .signo = signo, .from_uid = keeper->puid };

    if (!keeper->dismissed && !keeper->childless)
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

static int keeper_ask(struct keeper *keeper, bproc_proc proc, xdrproc_t encode, const void *body,
                      const int *fds, unsigned nfds)
{
    if (msg_send(keeper->channel, K_CALL, proc, 0, 0, encode, body, fds, nfds) == 0)
        return 0;
    keeper_close(keeper);
    return -EPIPE;
}

static int keeper_answer(struct keeper *keeper, struct msg *answer)
{
    struct msg msg;
    int error;

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

int keeper_call(struct keeper *keeper, bproc_proc proc, xdrproc_t encode, const void *body,
                const int *fds, unsigned nfds, struct msg *answer)
{
    int error = keeper_ask(keeper, proc, encode, body, fds, nfds);

    return error ? error : keeper_answer(keeper, answer);
}

static struct keeper *keeper_of_session(pid_t sid)
{
    struct keeper *keeper = keeper_list;

    while (keeper && (keeper->sid != sid || keeper->channel < 0 || keeper->leaving))
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

static int launch_ask(struct keeper *keeper, const struct msg *msg)
{
    struct frame_bytes body = { .bytes = msg->body, .len = msg->header.body_len };
    int error = keeper_ask(keeper, msg->header.proc, FRAME_XDR(frame_bytes), &body, msg->fds,
                           msg->header.nfds);

    keeper->asked = !error;
    return error;
}

/* What it is to launch waits for it when it begins; NULL: nothing. */
static struct keeper *keeper_make(pid_t ppid, pid_t sid, struct keeper *elder,
                                  const struct msg *first)
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
    if (first)
        launch_ask(keeper, first);
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

/*
 * That with this number, made if there is none, in the session `sid` if that can be had here (0 or
 * 1: init's). NULL when the number is in use otherwise.
 */
static struct keeper *keeper_get(pid_t ppid, pid_t sid, const struct msg *first)
{
    struct keeper *keeper = keeper_find(ppid), *elder = NULL;

    if (ppid <= 1 || (keeper && !keeper_is_outlived(keeper, sid)))
        return keeper;
    keeper_dismiss(ppid);
    if (sid > 1)
        elder = keeper_of_session(sid);
    if (sid > 1 && !elder && sid != ppid) {
        keeper_dismiss(sid);
        elder = keeper_make(sid, sid, NULL, NULL);
    }
    if (!elder && sid != ppid)
        sid = getsid(0);
    return keeper_make(ppid, sid, elder, first);
}

/* Whether the group is there, or none is to be. A keeper that leads it stays for longer. */
static bool is_led(pid_t pgid, pid_t sid)
{
    struct keeper *keeper = pgid > 1 ? keeper_find(pgid) : NULL;

    if (keeper && keeper_is_outlived(keeper, sid))
        return false;
    if (keeper)
        keeper->until = 0;
    return pgid <= 1 || keeper || kill(-pgid, 0) == 0;
}

/* Nobody can join before it leads, which it does before it answers. */
static void group_lead(pid_t pgid, pid_t sid)
{
    struct keeper *keeper = keeper_get(pgid, sid, NULL);

    if (!keeper)
        return;
    keeper->childless = true;
    keeper_call(keeper, P_PING, NULL, NULL, NULL, 0, NULL);
}

/* One that leads its session has left its parent's, whose number nobody has told. */
struct keeper *keeper_of_parent(const struct launch *launch, const struct msg *msg)
{
    pid_t sid = launch->sid == launch->pid ? 0 : launch->sid;
    bool ready = launch->pgid == launch->pid || launch->pgid == launch->ppid ||
                 is_led(launch->pgid, sid);
    struct keeper *keeper = keeper_get(launch->ppid, sid, ready ? msg : NULL);

    if (!ready && keeper)
        group_lead(launch->pgid, keeper->sid);
    return keeper;
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
    struct msg answer;
    launched_ret ret;
    int error = keeper->asked ? 0 : launch_ask(keeper, msg);

    keeper->asked = false;
    if (!error)
        error = keeper_answer(keeper, &answer);
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
    keeper_signal_guess(keeper, SIGSTOP);
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
