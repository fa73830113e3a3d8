/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command on one node: a child of bpsh, which becomes the one that stands for the remote
 * process, and the pipes to it.
 *
 * Life: task_init() sets it up, task_start() starts the child (libbproc/spawn.h). The loop then
 * feeds input_fd, reads out[] and, at report_fd or on the line, whether the command runs, and reaps
 * the child with task_reap(). A task is over when that, its status and, unless it leaves them, both
 * its outputs are in. task_free() ends it.
 */
#ifndef TOOLS_BPSH_TASK_H
#define TOOLS_BPSH_TASK_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "libbproc/spawn.h"
#include "tools/bpsh_command.h"
#include "tools/bpsh_output.h"

enum task_stream {
    STREAM_NULL,            /* /dev/null on the node */
    STREAM_OWN,             /* bpsh's own descriptor */
    STREAM_PIPE,            /* through bpsh */
    STREAM_JOINED,          /* standard error only: where standard output goes */
    STREAM_FILE             /* through bpsh, into a file of its own: see bpsh_outfile.h */
};

struct line;

/* What all tasks of a run have in common. */
struct task_plan {
    const struct command *command;
    struct line *line;              /* to the daemon */
    enum task_stream streams[3];
    struct output_style style;
    struct sink *sinks[2];          /* for stdout and stderr; NULL: tasks keep it */
    bool leaves_output;             /* tasks are over when the command is: see bpsh_plain.h */
    const char *outdir;             /* of STREAM_FILE */
    size_t count;                   /* of tasks */
    int64_t connect_ms, run_ms;     /* what a task has until it runs, then to its end; 0: any */
    sigset_t mask;                  /* as bpsh was given it */
    struct circumstances now;       /* as all tasks shall have them */
};

#define UNTOLD_MS 10000             /* for a daemon that is started again */
#define UNTOLD_LOOKS 2              /* for it in that time, with the same result each */

/* A task's way to its end, when it does not come by itself in time. */
enum task_stage {
    TASK_ALLOWED,           /* it has until its deadline */
    TASK_UNTOLD,            /* nobody has said whether it runs; the daemon has until its deadline */
    TASK_LATE,              /* it was told to end */
    TASK_KILLED             /* nothing more can be done */
};

struct task {
    int node;
    int rank;
    int copy;                       /* how many tasks before it are on the same node */
    bool started;
    enum task_stage stage;
    bool timed_out;
    bool leaves_output;             /* as the plan says */
    int64_t start, end;             /* tool_clock() */
    int64_t deadline;               /* of its stage; 0: none */
    bool daemon_there;              /* TASK_UNTOLD: at the last look for it */
    bool in_doubt;                  /* by task_doubt() */
    int looks;                      /* that found it so, one after the other */
    pid_t ender;                    /* see bpsh_ender.h; 0: none */
    pid_t pid;                      /* 0 once reaped or never started */
    void *memory;                   /* the child's, as long as it is there */
    int status;                     /* as wait(2) gives it */
    int error;                      /* errno: it could not be created */
    bool no_file;                   /* that is why: its own file in the plan's outdir */
    bool complained;                /* of that, to the user */
    struct line *line;              /* where it waits for the answer with its serial; or NULL */
    LIST_ENTRY(task) awaits;
    uint32_t serial;
    int report_fd;                  /* the same of a command here: -1 when it is known */
    int input_fd;
    uint64_t input_pos;
    struct output out[2];
    struct sink *files[2];          /* where they go, if the task has files of its own */
};

/*
 * Signals and limits of a tool with many children; what the children shall have goes to *plan.
 * Result: a signalfd for SIGCHLD and for the signals that loop_run() deals with, which are blocked
 * from here on; or -errno. Descriptors 0 to 2 are open afterwards.
 */
int task_prepare(struct task_plan *plan);

/* A task that is not started yet. */
void task_init(struct task *task, int node, int rank);

/* Sets what the command finds about itself in the environment, in the caller's own. 0 or -1. */
int task_environment(const struct task *task, const struct task_plan *plan);

/* Starts it. What cannot be had ends in task->error, the task is over then. Does not block. */
void task_start(struct task *task, const struct task_plan *plan);

/* Nobody has said yet whether it runs. */
bool task_untold(const struct task *task);

/* Reads the report: sets task->error if there is one. Call when report_fd is readable. */
void task_report(struct task *task, const struct task_plan *plan);

/* The daemon is gone: the child knows, and ends by SIGKILL if there is no process. */
#define TASK_NOT_TOLD 1

/* It runs if `error` is 0; or TASK_NOT_TOLD, or a negative errno that becomes task->error. */
void task_told(struct task *task, const struct task_plan *plan, int error);

/* Gives up hearing whether it runs: task->error is EIO then. */
void task_doubt(struct task *task);

/* What task->error, which is set, means, in words. Not freed. */
const char *task_reason(const struct task *task);

/* It runs: from now on it has until its time limit. */
void task_runs(struct task *task, const struct task_plan *plan);

/*
 * Takes the child's status if it has ended; without a report that may set task->error. Does not
 * block.
 */
void task_reap(struct task *task);

/* Why a task died whose status is a signal, in words. Not freed. May block for the daemon. */
const char *task_death(const struct task *task);

/*
 * Status of a task that is over and was created: the exit status; 255 for a death by signal, which
 * is told on stderr with the node. May block for the daemon.
 */
int task_result(const struct task *task);

/*
 * The same by strict rules: 128 + the signal, 124 for a task that was out of time, 255 for one
 * whose node died or that could not be created.
 */
int task_result_strict(const struct task *task);

/* Takes what has come and closes what still connects a task, which counts as over then. */
void task_abandon(struct task *task, const struct task_plan *plan);

void task_close_input(struct task *task);

/* Running: started and not over. A task that is not started is not over. */
bool task_running(const struct task *task);
bool task_over(const struct task *task);
void task_free(struct task *task);

#endif
