/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "migrate/space/keeper_child.h"
#include "migrate/space/launch.h"
#include "migrate/space/pending.h"
#include "migrate/space/reap.h"
#include "proto/rawcall.h"

/* All of a keeper's descriptors beside the standard ones. */
#define CHANNEL 3
#define SIGNALS 4

#define SPAN_MS 100
#define SPAN_SIGNALS 100            /* passed on in one span */

/*
 * Init and both daemons see each signal that is passed on, and a user can send more than they can
 * bear. What is beyond the measure stays with the kernel, which has a bound for it.
 */
struct pace {
    int64_t begun;              /* of the span, monotonic milliseconds */
    unsigned count;             /* signals read in it */
};

struct duty {
    struct pace pace;
    bool leaves;                /* with the last child */
};

int keeper_child_init(void)
{
    sigset_t all;
    int signals;

    sigfillset(&all);
    signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
    return signals < 0 ? -errno : signals;
}

__attribute__((noreturn))
static void child_exit(int status)
{
    RAW1(SYS_exit_group, status);
    __builtin_unreachable();
}

static long saved_user_set(uid_t user)
{
    return RAW3(SYS_setresuid, -1, -1, user);
}

/*
 * The saved user id is all that lets a user signal us: the parent's is here but while we fork, as
 * whoever is launched shall not be open to him before it has its own ids.
 */
static int open_to_root(uid_t *user)
{
    uid_t real, effective;
    long error = RAW3(SYS_getresuid, &real, &effective, user);

    return (int)(error < 0 ? error : saved_user_set(0));
}

static int launch_run(const struct errand *errand, int *fds, unsigned nfds, struct report *report,
                      struct room **room)
{
    uid_t user;
    int error = open_to_root(&user);

    if (!error)
        error = launch_start(errand, fds, nfds, (pid_t)RAW0(SYS_getpid), report, room);
    saved_user_set(error ? user : errand->puid);
    return error;
}

/* What came with an errand, or was there before a keeper's own. */
static long fds_close(void)
{
    return RAW3(SYS_close_range, SIGNALS + 1, ~0u, 0);
}

/*
 * `error`: it has not come whole. Who is told may run in our place at once, so that what is left to
 * do comes first.
 */
static void launch_answer(const struct errand *errand, int *fds, unsigned nfds, int error)
{
    struct report report = { .kind = REPORT_ANSWER, .error = error };
    struct room *room = NULL;

    if (!error)
        report.error = launch_run(errand, fds, nfds, &report, &room);
    fds_close();
    if (report.error) {
        report_send(CHANNEL, &report);
        return;
    }
    /* Init has given the launch up if it does not hear of it. */
    if (report_send(CHANNEL, &report) < 0)
        RAW2(SYS_kill, report.pid, SIGKILL);
    else
        room_release(room);
}

/*
 * Another keeper of this session: a child of the one that leads it, as a job is the shell's child.
 * Otherwise its group would be an orphaned one, which the keyboard's stop signals do not stop. That
 * one looks after it when it is awake.
 */
static pid_t sibling_start(const struct errand *errand, int channel)
{
    struct room *room = room_take(sizeof(struct keeper_birth));
    bool leads = RAW1(SYS_getsid, 0) == RAW0(SYS_getpid);
    struct keeper_birth *birth;

    if (!room)
        return -ENOMEM;
    birth = room_bytes(room);
    *birth = (struct keeper_birth){ .channel = channel, .signals = SIGNALS };
    return room_start(room, errand->pid, leads ? ROOM_QUIET : ROOM_SIBLING, errand->beside,
                      keeper_child_run);
}

/* It answers for itself, if it is there. */
static void sibling_make(const struct errand *errand, const int *fds, unsigned nfds)
{
    struct report report = { .kind = REPORT_UNMADE };
    uid_t user;
    pid_t pid;

    if (nfds != 1)
        return;
    pid = open_to_root(&user);
    if (pid == 0) {
        pid = sibling_start(errand, fds[0]);
        saved_user_set(user);
    }
    report.error = pid;
    if (pid < 0)
        report_send(fds[0], &report);
}

/* What the kernel, init or somebody outside of the space does to us is nothing to the parent. */
static int is_for_parent(const struct signalfd_siginfo *info)
{
    int code = info->ssi_code;

    return (code == SI_USER || code == SI_QUEUE || code == SI_TKILL) && info->ssi_pid > 1;
}

/* Milliseconds until signals may be read; 0: now. */
static int pace_wait(struct pace *pace)
{
    struct timespec time;
    int64_t now;

    clock_gettime(CLOCK_MONOTONIC, &time);
    now = (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
    if (now - pace->begun >= SPAN_MS)
        *pace = (struct pace){ .begun = now };
    return pace->count < SPAN_SIGNALS ? 0 : (int)(pace->begun + SPAN_MS - now);
}

static void signals_read(struct pace *pace)
{
    struct signalfd_siginfo info;

    while (pace->count < SPAN_SIGNALS &&
           RAW3(SYS_read, SIGNALS, &info, sizeof(info)) == (long)sizeof(info)) {
        struct report report = { .kind = REPORT_SIGNAL };

        pace->count++;
        if (!is_for_parent(&info))
            continue;
        report.signal = (signal_msg){ .signo = (int)info.ssi_signo, .code = info.ssi_code,
                                      .from_pid = (int)info.ssi_pid, .from_uid = info.ssi_uid,
                                      .value = (int64_t)info.ssi_ptr };
        report_send(CHANNEL, &report);
    }
}

/*
 * What a child sent its parent comes before word of its end, as far as the pace allows: what is
 * beyond that follows, while we are here. If ends waited, whoever sends without end would hold up
 * those of the others. So we end with the last one, and what is beyond the pace then is lost.
 *
 * Among the signals read is that of a child that has ended since we looked, so that nothing would
 * wake us for it: the last thing done is a look.
 */
static void children_report(struct duty *duty)
{
    struct reaped reaped;

    while (reap_next(&reaped)) {
        struct report report = { .kind = REPORT_STATUS, .event = reaped.event, .pid = reaped.pid,
                                 .status = reaped.status };

        signals_read(&duty->pace);
        report.last = duty->leaves && reap_was_last();
        report_send(CHANNEL, &report);
        if (report.last)
            child_exit(0);
    }
}

static void channel_read(struct duty *duty)
{
    const struct report done = { .kind = REPORT_ANSWER };
    int fds[BPROC_MAX_FDS];
    struct errand errand;
    unsigned nfds = 0;
    int error = errand_recv(CHANNEL, &errand, fds, &nfds);

    if ((error && error != -EMFILE) || errand.kind == ERRAND_LEAVE) {
        /* What happens to a child after this look is init's to see. */
        children_report(duty);
        child_exit(0);
    }
    duty->leaves = errand.kind == ERRAND_LAUNCH ? errand.leaves : duty->leaves;
    if (errand.kind == ERRAND_KEEPER) {
        sibling_make(&errand, fds, nfds);
        fds_close();
    } else if (errand.kind == ERRAND_LAUNCH) {
        launch_answer(&errand, fds, nfds, error);
    } else {
        report_send(CHANNEL, &done);
    }
}

static void birth_take(const struct keeper_birth *birth)
{
    uint64_t all = ~(uint64_t)0;

    RAW2(SYS_prctl, PR_SET_NAME, "bproc-keeper");
    RAW4(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, KERNEL_SIGSET);
    pending_narrow();
    if (birth->lead)
        RAW0(SYS_setsid);
    else
        RAW2(SYS_setpgid, 0, 0);
    if ((birth->channel != CHANNEL &&
         RAW3(SYS_dup3, birth->channel, CHANNEL, O_CLOEXEC) < 0) ||
        (birth->signals != SIGNALS &&
         RAW3(SYS_dup3, birth->signals, SIGNALS, O_CLOEXEC) < 0) ||
        RAW3(SYS_dup3, STDERR_FILENO, STDOUT_FILENO, 0) < 0 || fds_close() < 0)
        child_exit(1);
}

void keeper_child_run(struct room *room)
{
    struct pollfd polled[2] = { { .fd = CHANNEL, .events = POLLIN }, { .events = POLLIN } };
    struct duty duty = { .leaves = false };

    birth_take(room_bytes(room));
    for (;;) {
        int wait = pace_wait(&duty.pace);
        const struct timespec time = { .tv_nsec = wait * 1000000L };

        polled[1].fd = wait ? -1 : SIGNALS;
        if (raw_call(SYS_ppoll, (long)polled, 2, wait ? (long)&time : 0, 0, KERNEL_SIGSET, 0) < 0)
            continue;
        if (polled[1].revents)
            signals_read(&duty.pace);
        children_report(&duty);
        rooms_tidy();
        if (polled[0].revents)
            channel_read(&duty);
    }
}
