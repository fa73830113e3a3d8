/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What /proc says of one process. `proc` is a descriptor of /proc. Blocks on nothing but the
 * kernel; 0 or -errno, -ESRCH when the process has gone.
 */
#ifndef BPROC_SPACE_PROCSTAT_H
#define BPROC_SPACE_PROCSTAT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct procstat {
    pid_t ppid, pgid, sid;
    char state;                     /* as ps shows it */
    bool deaf;                      /* it has all signals blocked */
    int exit_signal;
    unsigned long long started;     /* tells it from others of its number */
};

int procstat_read(int proc, pid_t pid, struct procstat *stat);

/* The real ids. */
int procstat_ids(int proc, pid_t pid, uid_t *uid, gid_t *gid);

/*
 * The command line, a NUL after each word, or the name when it has none. *len is the room before
 * and what is in it afterwards; what is too long is cut.
 */
int procstat_args(int proc, pid_t pid, char *args, size_t *len);

/* Whether it runs the program at `path`, be that replaced meanwhile. */
int procstat_runs(int proc, pid_t pid, const char *path);

/* Whether it runs init's own: a keeper, or what has yet to execute something. */
bool procstat_runs_ours(pid_t pid);

#endif
