/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A task's own files for stdout and stderr, in the plan's outdir: "DIR/n3.out", "DIR/n3.1.out" for
 * a second task on n3. Their bytes pass through the tool, as nobody else would tell that a disk is
 * full.
 *
 * Life: outfile_open() before the task starts, outfile_settle() whenever something has come,
 * outfile_free() with the task.
 */
#ifndef TOOLS_BPSH_OUTFILE_H
#define TOOLS_BPSH_OUTFILE_H

#include "tools/bpsh_task.h"

/*
 * Makes or empties the file for `target`, 1 or 2. 0 with task->files, or a negative errno, then the
 * reason has been told and task->no_file says that it was this. Blocks as open() does.
 */
int outfile_open(struct task *task, const char *dir, int target);

/* Closes the files whose streams have ended. */
void outfile_settle(struct task *task);

/* Could something not be written? It has been told, then. */
bool outfile_failed(const struct task *task);

void outfile_free(struct task *task);

#endif
