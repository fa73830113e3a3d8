/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bproc_move(): the caller goes to another node itself.
 *
 * What is dumped is a copy that the caller forks of itself, quietly, and that leaves as the child
 * of an rfork does; its image is given the caller's number. So the caller stays whole until all has
 * succeeded: then it becomes the ghost, or ends. What a fork does not copy is carried by hand:
 * interval timers, signals that wait, and children, for which ghosts are made where the process
 * arrives.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <sys/bproc.h>

#include "libbproc/client.h"
#include "libbproc/lazy.h"
#include "libbproc/move.h"
#include "libbproc/quietfork.h"
#include "libbproc/remain.h"
#include "libbproc/rfork.h"

#define BIRTH_PATH PKGLIBEXECDIR "/bproc-birth"
#define TIMERS 3
#define PENDING_MAX 1024        /* signals; more than most users may have waiting */

/* The caller's, in its copy. */
static struct itimerval timers[TIMERS];
static siginfo_t pending[PENDING_MAX];
static unsigned pending_count;

/* ---- before ---- */

static int has_threads(void)
{
    DIR *dir = opendir("/proc/self/task");
    struct dirent *entry;
    int count = 0;

    while (dir && (entry = readdir(dir)))
        count += entry->d_name[0] != '.';
    if (dir)
        closedir(dir);
    return count != 1;
}

/* Timers of timer_create(2) are not inherited, and could not be made again under their numbers. */
static int has_timers(void)
{
    int fd = open("/proc/self/timers", O_RDONLY | O_CLOEXEC);
    char byte;
    ssize_t n = fd < 0 ? 0 : read(fd, &byte, 1);

    if (fd >= 0)
        close(fd);
    return n > 0;
}

/* With all signals blocked: those that wait are neither the copy's nor the ghost's from here on. */
static void pending_take(void)
{
    static const struct timespec now;
    uint64_t all = ~0ULL;

    pending_count = 0;
    while (pending_count < PENDING_MAX &&
           syscall(SYS_rt_sigtimedwait, &all, &pending[pending_count], &now, sizeof(all)) > 0)
        pending_count++;
}

/* The kernel believes a process what it says to itself of a signal's sender. */
static void pending_give(void)
{
    for (unsigned i = 0; i < pending_count; i++)
        syscall(SYS_rt_sigqueueinfo, getpid(), pending[i].si_signo, &pending[i]);
    pending_count = 0;
}

/* ---- where it arrives ---- */

void move_number_refresh(void)
{
    int *number = NULL;

    if (prctl(PR_GET_TID_ADDRESS, &number) == 0 && number)
        *number = (int)syscall(SYS_gettid);
}

/* The child's number is not ours to choose: a set-uid program makes it, if the daemon says so. */
static int ghost_make(int pid)
{
    pid_msg ask = { .pid = pid };
    pid_t birth = fork();
    char number[16];
    int status;

    if (birth == 0) {
        snprintf(number, sizeof(number), "%d", pid);
        execl(BIRTH_PATH, "bproc-birth", number, (char *)NULL);
        _exit(errno);
    }
    if (birth < 0)
        return -errno;
    while (waitpid(birth, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    if (!WIFEXITED(status))
        return -EIO;
    if (WEXITSTATUS(status))
        return -WEXITSTATUS(status);
    /* SIGKILL would tell nothing of itself before that. */
    return client_call(P_GHOST_AWAIT, FRAME_XDR(pid_msg), &ask, NULL, NULL, 0);
}

static int move_settle(const gate_msg *news)
{
    int error = 0;

    move_number_refresh();
    for (unsigned i = 0; !error && i < news->children.child_list_len; i++)
        error = ghost_make(news->children.child_list_val[i]);
    for (int i = 0; i < TIMERS; i++)
        if (timers[i].it_value.tv_sec || timers[i].it_value.tv_usec)
            setitimer(i, &timers[i], NULL);
    /* Those that made the ghosts have ended. */
    rfork_signals_discard();
    pending_give();
    return error;
}

/* ---- the caller ---- */

/* Returns when the call has failed: -errno. The copy is then gone, or goes by itself. */
static int caller_remain(struct depart *depart, pid_t copy)
{
    struct remain remain;
    int error;

    /* The copy alone holds its ends, so that its death is seen. */
    client_close(depart->gate);
    client_close(depart->gate_far);
    client_close(depart->keep_far);
    depart->gate = depart->gate_far = depart->keep_far = -1;
    error = remain_wait(&remain, depart->keep, depart->conn);
    if (error) {
        quietfork_undo(copy);
        return error;
    }
    quietfork_settle(copy);
    error = remain_become(&remain, depart->keep, depart->parent, NULL);
    /* It runs elsewhere: to go on here would make two of one. */
    kill(getpid(), SIGKILL);
    return error;
}

/* 0 in the process that has arrived, or -errno. */
static int move_leave(struct depart *depart, const struct flight_plan *plan)
{
    uint64_t mask;
    pid_t copy;
    int error = depart_gate(depart);

    if (!error)
        error = depart_keep_gate(depart);
    if (error)
        return error;
    for (int i = 0; i < TIMERS; i++)
        getitimer(i, &timers[i]);
    lazy_complete();
    signals_block(&mask);
    pending_take();
    copy = quietfork();
    if (copy == 0) {
        plan->leave(depart, &mask, plan);
        client_forget_all_but(-1);
        return 0;
    }
    error = copy < 0 ? -errno : caller_remain(depart, copy);
    pending_give();
    signals_restore(&mask);
    return error;
}

int move_run(int node, int flags, const struct io *io)
{
    struct flight_plan plan;
    struct depart depart;
    int error;

    if (has_threads() || has_timers())
        return -EOPNOTSUPP;
    rfork_plan(&plan, node, flags, io);
    plan.kind = MOVE_MOVE;
    plan.settle = move_settle;
    error = depart_ask(&depart, MOVE_MOVE, node, flags);
    /* Where there is no BProc, the caller is on what would be its master. */
    if (error == -EBUSY && node == BPROC_NODE_MASTER)
        return 0;
    if (error)
        return error;
    if (depart.same) {
        depart_close(&depart);
        return 0;
    }
    error = move_leave(&depart, &plan);
    if (error)
        depart_close(&depart);
    if (error == -BPROC_PID_TAKEN)
        error = -EEXIST;
    return client_error(error);
}

int _bproc_move_io(int node, int flags, int port)
{
    struct io io;
    int error = rfork_check(flags);

    if (!error)
        error = io_from_port(&io, port, flags);
    return client_result(error ? error : move_run(node, flags, &io));
}

int _bproc_move(int node, int flags)
{
    return _bproc_move_io(node, flags, 0);
}

int bproc_move(int node)
{
    const struct io io = { .count = 0 };

    return client_result(move_run(node, DEPART_NO_FLAGS, &io));
}
