/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "migrate/space/keeper_impl.h"
#include "migrate/space/procstat.h"
#include "proto/rawcall.h"

#define WAKES_MAX 500

static reap_fn *on_report;
static void (*on_signal)(const signal_msg *signal);

void keeper_talk_init(reap_fn *report, void (*signal)(const signal_msg *signal))
{
    on_report = report;
    on_signal = signal;
}

/*
 * As a signal to its only thread: until the keeper reads that, one to the process would stand in
 * the way of the same from a child.
 */
static void go_on(pid_t pid)
{
    RAW3(SYS_tgkill, pid, pid, SIGCONT);
}

/* Once it goes on nobody else hears that it was stopped. */
static void keeper_wake(const struct keeper *keeper)
{
    siginfo_t info = { .si_pid = 0 };

    if (waitid(P_PID, (id_t)keeper->pid, &info, WSTOPPED | WNOHANG) == 0 && info.si_pid != 0)
        keeper_signal_guess(keeper, SIGSTOP);
    go_on(keeper->pid);
}

/* Until it has spoken its number may be another's; it runs the same program as we do. */
static bool is_there(const struct keeper *keeper)
{
    return !keeper->maker || (!registry_find(keeper->pid) && procstat_runs_ours(keeper->pid));
}

/* It cannot be woken. Of one that has yet to be made the maker cannot. */
static void keeper_give_up(struct keeper *keeper, struct keeper *maker)
{
    struct keeper *stuck = keeper->maker ? maker : keeper;

    if (!stuck)
        return;
    stuck->dismissed = true;
    kill(stuck->pid, SIGKILL);
}

/*
 * The next report; -ECONNRESET when there will be none, -EPIPE when it has been given up. A keeper
 * can be stopped, by whoever may signal the parent, and so can the one that is to make it; they are
 * woken, and given up if that does not help.
 */
static int keeper_recv(struct keeper *keeper, struct report *report)
{
    struct keeper *maker = keeper->maker ? keeper_find(keeper->maker) : NULL;

    for (int wakes = 0; wakes < WAKES_MAX; wakes++) {
        int error = report_recv(keeper->channel, report);

        if (error != -EAGAIN)
            return error;
        if (is_there(keeper))
            keeper_wake(keeper);
        if (maker)
            keeper_wake(maker);
    }
    keeper_give_up(keeper, maker);
    return -EPIPE;
}

void keeper_signal_guess(const struct keeper *keeper, int signo)
{
    signal_msg body = { .pid = keeper->number, .signo = signo, .from_uid = keeper->puid };

    if (!keeper->dismissed && !keeper->childless)
        on_signal(&body);
}

/* By itself, or who was to make it has, with what was asked meanwhile unread. */
static void keeper_left(struct keeper *keeper)
{
    keeper->dismissed = keeper->leaving = true;
    keeper->until = 0;
    keeper_close(keeper);
}

static void event_take(struct keeper *keeper, const struct report *report)
{
    signal_msg signal = report->signal;

    if (report->last)
        keeper_left(keeper);
    signal.pid = keeper->number;
    if (report->kind == REPORT_STATUS)
        on_report(report->event, report->pid, report->status);
    else if (report->kind == REPORT_SIGNAL && !keeper->childless)
        on_signal(&signal);
}

int keeper_ask(struct keeper *keeper, const struct errand *errand, const int *fds, unsigned nfds)
{
    int error = errand_send(keeper->channel, errand, fds, nfds);

    if (error == 0)
        return 0;
    /* One that has gone may have told of its last child before. */
    while ((error == -EPIPE || error == -ECONNRESET) && keeper->channel >= 0)
        keeper_read(keeper);
    keeper_close(keeper);
    return -EPIPE;
}

/*
 * Whether who was to make it has left by itself before it read of that. What ends with something
 * unread resets the channel, and no other word of ours is on its way there.
 */
static bool maker_left(const struct keeper *keeper)
{
    struct keeper *maker = keeper->maker ? keeper_find(keeper->maker) : NULL;
    socklen_t len = sizeof(int);
    int error = 0;

    if (!maker || getsockopt(maker->channel, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ||
        error != ECONNRESET)
        return false;
    while (maker->channel >= 0)
        keeper_read(maker);
    return maker->leaving;
}

int keeper_answer(struct keeper *keeper, struct report *answer)
{
    int error;

    while ((error = keeper_recv(keeper, answer)) == 0) {
        if (answer->kind == REPORT_UNMADE) {
            keeper_close(keeper);
            return -EPIPE;
        }
        keeper->maker = 0;
        if (answer->kind == REPORT_ANSWER)
            return answer->error;
        event_take(keeper, answer);
        if (keeper->leaving)
            return -EPIPE;
    }
    if (error == -ECONNRESET && maker_left(keeper)) {
        keeper_left(keeper);
        return -EPIPE;
    }
    keeper_close(keeper);
    return -EAGAIN;
}

int keeper_hear(struct keeper *keeper)
{
    const struct errand errand = { .kind = ERRAND_ANSWER };
    struct report answer;
    int error = keeper_ask(keeper, &errand, NULL, 0);

    return error ? error : keeper_answer(keeper, &answer);
}

void keeper_read(struct keeper *keeper)
{
    struct report report;

    if (keeper_recv(keeper, &report) < 0)
        keeper_close(keeper);
    else
        event_take(keeper, &report);
}

void keeper_stopped(pid_t pid)
{
    const struct keeper *keeper = keeper_list;

    while (keeper && keeper->pid != pid)
        keeper = keeper->next;
    if (!keeper)
        return;
    go_on(pid);
    keeper_signal_guess(keeper, SIGSTOP);
}
