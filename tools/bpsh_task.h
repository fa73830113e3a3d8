/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command on one node: a child of bpsh, which becomes the one that stands for the remote
 * process, and the pipes to it.
 *
 * Life: task_start() forks; the child calls bproc_rexec and, if that fails, says why over the
 * report pipe, which the kernel closes when it succeeds. The loop then feeds input_fd, reads out[]
 * and the report, reaps the child with task_reap(). A task is over when its report, both its
 * outputs and its status are in. task_free() ends it.
 */
#ifndef TOOLS_BPSH_TASK_H
#define TOOLS_BPSH_TASK_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "tools/bpsh_command.h"
#include "tools/bpsh_output.h"

enum task_stream {
    STREAM_NULL,            /* /dev/null on the node */
    STREAM_OWN,             /* bpsh's own descriptor */
    STREAM_PIPE             /* through bpsh */
};

/* What all tasks of a run have in common. */
struct task_plan {
    const struct command *command;
    enum task_stream streams[3];
    struct output_style style;
    struct sink *sinks[2];          /* for stdout and stderr */
    sigset_t mask;                  /* as bpsh was given it */
    struct sigaction pipe_action;
    struct rlimit files;
};

struct task {
    int node;
    int rank;
    pid_t pid;                      /* 0 once reaped or never started */
    int status;                     /* as wait(2) gives it */
    int error;                      /* errno: it could not be created */
    int report_fd;
    int input_fd;
    uint64_t input_pos;
    struct output out[2];
};

/*
 * Signals and limits of a tool with many children; what the children shall have goes to *plan.
 * Result: a signalfd for SIGCHLD, or -errno. Descriptors 0 to 2 are open afterwards.
 */
int task_prepare(struct task_plan *plan);

/*
 * Starts `task` (node and rank set). What cannot be had ends in task->error, the task is over then.
 * Does not block.
 */
void task_start(struct task *task, const struct task_plan *plan);

/* Reads the report: sets task->error if there is one. Call when report_fd is readable. */
void task_report(struct task *task);

/* Takes the child's status if it has ended. Does not block. */
void task_reap(struct task *task);

/*
 * Status of a task that is over and was created: the exit status; 255 for a death by signal, which
 * is told on stderr with the node. May block for the daemon.
 */
int task_result(const struct task *task);

void task_close_input(struct task *task);
bool task_over(const struct task *task);
void task_free(struct task *task);

#endif
