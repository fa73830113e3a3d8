/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One stream of files: a task that is the source and one task for each node that gets a copy, all
 * of them ends (bpcp_end.h), and what is between them.
 *
 * Life: transfer_start(), then the loop reads the source's output into `stream`, which gets to the
 * targets as bpcp_chain.h tells; transfer_errors() when all tasks are over, transfer_free().
 */
#ifndef TOOLS_BPCP_TRANSFER_H
#define TOOLS_BPCP_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/nodeset.h"
#include "tools/bpcp_chain.h"
#include "tools/bpsh_task.h"

/* What all transfers of one run of bpcp have in common. */
struct transfer_plan {
    struct task_plan tasks;         /* prepared; the rest is set for each task */
    int self;                       /* node this runs on */
    int asker;                      /* node that messages do not name: where bpcp was called */
    bool recurse, preserve, total;
    const char *node_dir;           /* directory of relative names; NULL: the home directory */
    const char *own_dir;            /* the same on the asker */
    const char *target;             /* path */
    const struct nodeset *nodes;    /* of the target */
    bool directory;                 /* the target has to be one */
};

struct transfer {
    struct task source;
    struct task *targets;
    struct branch *branches;        /* beside the targets */
    size_t count;
    struct chain chain;
    struct ring stream;
    bool eof;                       /* nothing more comes from the source */
    uint32_t refused;               /* the last file that the source has left out the rest of */
    uint64_t total;                 /* bytes to come, 0 when not known */
    bool headed;                    /* total is settled */
};

/*
 * Starts the copy of paths[0] to paths[count - 1] of `node`. `suffix` is put behind the names in
 * the target. What cannot be started shows in its task. 0 or -ENOMEM. Does not block.
 */
int transfer_start(struct transfer *transfer, const struct transfer_plan *plan, int node,
                   char *const *paths, size_t count, const char *suffix);

/*
 * Starts the same copy by a bpcp on `node`, so that the data do not pass through this machine. It
 * is a transfer without targets. 0 or -ENOMEM. Does not block.
 */
int transfer_delegate(struct transfer *transfer, const struct transfer_plan *plan, int node,
                      char *const *paths, size_t count, const char *suffix);

/* Reads what the source has. Call when its output is readable and `stream` has room. */
void transfer_read(struct transfer *transfer);

/*
 * Closes what has had everything, forgets what all targets have had, tells the source which file
 * none has use for.
 */
void transfer_settle(struct transfer *transfer);

/* Passes a signal on to all tasks. */
void transfer_signal(const struct transfer *transfer, int signo);

/* Takes the statuses of tasks that have ended. Does not block. */
void transfer_reap(struct transfer *transfer);

/* Bytes that every target has had. */
uint64_t transfer_done(const struct transfer *transfer);

bool transfer_over(const struct transfer *transfer);

/*
 * Number of errors of a transfer that is over. Those that an end could not tell itself are
 * told here. May block for the daemon.
 */
unsigned transfer_errors(const struct transfer *transfer, const struct transfer_plan *plan);

void transfer_free(struct transfer *transfer);

#endif
