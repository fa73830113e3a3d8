/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(resident) ((resident)->pid = 0)
#include <uthash.h>

#include "migrate/space/census.h"
#include "migrate/space/keeper.h"
#include "migrate/space/numbers.h"
#include "migrate/space/procstat.h"
#include "migrate/space/registry.h"

#define GHOST PKGLIBEXECDIR "/bproc-ghost"
#define FAST_MS 50
#define SLOW_MS 500
#define MOMENT_MS 80                /* what lives shorter is nobody's business */
#define COST_MOST 20                /* a look may take one part in so many of the time */
#define STATUS_STOPPED (SIGSTOP << 8 | 0x7f)
#define STATUS_CONTINUED 0xffff
#define ENDS_A_TURN 64

struct resident {
    pid_t pid;
    unsigned long long started;
    int64_t seen;                   /* for the first time */
    unsigned look;                  /* the last one it was there at */
    int pidfd;                      /* -1 until it has been reported */
    group_msg group;                /* as told, or as it came */
    bool launched;                  /* not born here */
    bool stopped;
    UT_hash_handle hh;
};

static struct {
    const struct census_ops *ops;
    struct resident *residents;
    DIR *dir;
    int ends;                       /* epoll set of the pidfds */
    unsigned look, reported;
    int64_t due;                    /* the next look; 0: when something is launched */
    int interval;
    bool hurry;
    pid_t last;                     /* number given out */
    bool met;                       /* somebody who can fork, at the last look */
} census = { .ends = -1 };

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t now_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

static struct resident *resident_find(pid_t pid)
{
    struct resident *resident;

    HASH_FIND_INT(census.residents, &pid, resident);
    return resident;
}

static void resident_remove(struct resident *resident)
{
    if (resident->pidfd >= 0) {
        close(resident->pidfd);
        census.reported--;
    }
    HASH_DEL(census.residents, resident);
    free(resident);
}

static void resident_end(struct resident *resident, int status)
{
    if (resident->pidfd >= 0)
        census.ops->on_status(P_SPACE_EXITED, resident->pid, status);
    resident_remove(resident);
}

/* Made by itself already; it got its keeper's group if there was no other to be had for it. */
static bool is_own_group(const struct entry *entry, pid_t pgid)
{
    return pgid == entry->pid || (pgid != entry->pgid && entry->keeper &&
                                  pgid != entry->keeper->number);
}

static struct resident *resident_add(pid_t pid, const struct procstat *stat)
{
    const struct entry *entry = registry_find(pid);
    struct resident *resident = calloc(1, sizeof(*resident));

    if (!resident)
        return NULL;
    resident->pid = pid;
    HASH_ADD_INT(census.residents, pid, resident);
    if (resident->pid == 0) {
        free(resident);
        return NULL;
    }
    resident->started = stat->started;
    resident->seen = now_ms();
    resident->pidfd = -1;
    resident->launched = entry != NULL;
    resident->group = (group_msg){ pid, stat->pgid, stat->sid };
    if (entry && is_own_group(entry, stat->pgid))
        resident->group.pgid = entry->pgid;
    if (entry && stat->sid == pid)
        resident->group.sid = entry->sid;
    return resident;
}

/* ---- reporting ---- */

/*
 * bpsh's children (libbproc/standin.h) are about to execute the ghost, as are others that are deaf
 * in their parent's memory to execute something. What hears signals there is a process like any.
 */
static bool is_about_to_execute(const struct resident *resident, const struct procstat *stat)
{
    return stat->deaf && syscall(SYS_kcmp, resident->pid, stat->ppid, KCMP_VM, 0, 0) == 0;
}

/* True when `stat` says that this process does not stand for itself, or not yet. */
static bool is_somebody_else(const struct resident *resident, const struct procstat *stat)
{
    return stat->exit_signal == 0 || is_about_to_execute(resident, stat) ||
           registry_find_worker(resident->pid) || registry_find_worker(stat->ppid) ||
           procstat_runs(dirfd(census.dir), resident->pid, GHOST) ||
           procstat_runs_ours(resident->pid);
}

static int end_watch(struct resident *resident)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = (uint64_t)resident->pid };
    int pidfd = (int)syscall(SYS_pidfd_open, resident->pid, 0);

    if (pidfd < 0)
        return -errno;
    if (epoll_ctl(census.ends, EPOLL_CTL_ADD, pidfd, &event) < 0) {
        close(pidfd);
        return -ENOMEM;
    }
    resident->pidfd = pidfd;
    census.reported++;
    return 0;
}

static void born_report(struct resident *resident, const struct procstat *stat)
{
    born_msg born = { .id = { resident->pid, stat->pgid, stat->sid }, .ppid = stat->ppid };
    int proc = dirfd(census.dir);
    char args[BPROC_MAX_TEXT];
    size_t len = sizeof(args);
    uid_t uid;
    gid_t gid;

    if (census.reported >= BPROC_MAX_BORN || is_somebody_else(resident, stat) ||
        procstat_ids(proc, resident->pid, &uid, &gid) < 0 ||
        procstat_args(proc, resident->pid, args, &len) < 0 || end_watch(resident) < 0)
        return;
    born.uid = uid;
    born.gid = gid;
    born.args.args_len = (u_int)len;
    born.args.args_val = args;
    resident->group = born.id;
    census.ops->on_born(&born);
}

static void group_report(struct resident *resident, const struct procstat *stat)
{
    group_msg group = { resident->pid, stat->pgid, stat->sid };

    if (group.pgid == resident->group.pgid && group.sid == resident->group.sid)
        return;
    resident->group = group;
    census.ops->on_group(&group);
    census.hurry = true;
}

/* A stop of what has no parent here that waits for it shows in no other way. */
static void stop_report(struct resident *resident, bool stopped)
{
    if (stopped == resident->stopped || resident->launched)
        return;
    resident->stopped = stopped;
    census.ops->on_status(stopped ? P_SPACE_STOPPED : P_SPACE_CONTINUED, resident->pid,
                          stopped ? STATUS_STOPPED : STATUS_CONTINUED);
    census.hurry = true;
}

static bool is_mature(const struct resident *resident, int64_t now)
{
    if (now - resident->seen >= MOMENT_MS)
        return true;
    census.hurry = true;
    return false;
}

/* ---- looking ---- */

static void process_look(pid_t pid, int64_t now)
{
    struct resident *resident = resident_find(pid);
    struct procstat stat;

    if (procstat_read(dirfd(census.dir), pid, &stat) < 0 || stat.state == 'Z' || stat.state == 'X')
        return;
    census.met = true;
    if (resident && resident->started != stat.started) {
        resident_end(resident, 0);
        resident = NULL;
    }
    if (!resident)
        resident = resident_add(pid, &stat);
    if (!resident)
        return;
    resident->look = census.look;
    if (!resident->launched && resident->pidfd < 0 && is_mature(resident, now))
        born_report(resident, &stat);
    if (!resident->launched && resident->pidfd < 0)
        return;
    group_report(resident, &stat);
    stop_report(resident, stat.state == 'T');
}

static void all_look(int64_t now)
{
    struct resident *resident, *next;
    const struct dirent *entry;

    census.look++;
    census.met = false;
    rewinddir(census.dir);
    while ((entry = readdir(census.dir)) != NULL) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

        if (pid > 1 && !keeper_is(pid))
            process_look(pid, now);
    }
    HASH_ITER(hh, census.residents, resident, next)
        if (resident->look != census.look && resident->pidfd < 0)
            resident_remove(resident);
}

/*
 * Nobody was met but keepers, which fork at a launch only, nobody who was launched since is left,
 * and no number has been given out by the kernel.
 */
static bool is_deserted(void)
{
    return !census.met && registry_is_empty() && numbers_tend() == census.last;
}

/* `cost`: processor time of this look. */
static void next_set(int64_t cost, pid_t last)
{
    int64_t now = now_ms();
    int64_t least = cost * COST_MOST;

    if (last != census.last || census.hurry || census.interval == 0)
        census.interval = FAST_MS;
    else if (census.interval < SLOW_MS)
        census.interval *= 2;
    census.last = last;
    census.hurry = false;
    census.due = now + (census.interval > least ? census.interval : least);
}

static void look(void)
{
    int64_t began = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
    pid_t last = numbers_tend();

    all_look(now_ms());
    next_set(clock_ms(CLOCK_PROCESS_CPUTIME_ID) - began, last);
}

int census_look(void)
{
    int64_t now;

    if (census.due == 0)
        return -1;
    now = now_ms();
    /* It is known when the last one has ended: nobody has to wake up for it later on. */
    if (now >= census.due && !is_deserted()) {
        look();
        now = now_ms();
    }
    if (is_deserted()) {
        census.due = 0;
        return -1;
    }
    return now < census.due ? (int)(census.due - now) : 0;
}

/* ---- the rest ---- */

int census_init(const struct census_ops *ops)
{
    census.ops = ops;
    census.dir = opendir("/proc");
    census.ends = epoll_create1(EPOLL_CLOEXEC);
    return census.dir && census.ends >= 0 ? 0 : -errno;
}

int census_fd(void)
{
    return census.ends;
}

void census_ends(void)
{
    struct epoll_event events[ENDS_A_TURN];
    int count = epoll_wait(census.ends, events, ENDS_A_TURN, 0);

    for (int i = 0; i < count; i++) {
        struct resident *resident = resident_find((pid_t)events[i].data.u64);

        if (resident)
            resident_end(resident, reap_status(resident->pidfd));
    }
}

void census_reaped(pid_t pid, int status)
{
    struct resident *resident = resident_find(pid);

    if (resident)
        resident_end(resident, status);
}

void census_forget(pid_t pid)
{
    struct resident *resident = resident_find(pid);

    if (resident)
        resident_remove(resident);
}

int census_pidfd(pid_t pid)
{
    const struct resident *resident = resident_find(pid);

    return resident ? resident->pidfd : -1;
}

void census_continued(pid_t pid)
{
    struct resident *resident = resident_find(pid);

    if (resident)
        stop_report(resident, false);
}

void census_hurry(void)
{
    int64_t soon = now_ms() + FAST_MS;

    if (census.due == 0 || census.due > soon)
        census.due = soon;
    census.hurry = true;
}
