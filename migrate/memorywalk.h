/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pages of a process's regions there are to send: each is found once, either in turn or out
 * of turn. Life: memorywalk_new(), any number of calls, memorywalk_free(). Nothing waits.
 */
#ifndef BPROC_MEMORYWALK_H
#define BPROC_MEMORYWALK_H

#include <stddef.h>

#include "proto/bproc.h"

struct memorywalk;

/* /proc must show dump->source; `dump` is borrowed. NULL and errno on failure. */
struct memorywalk *memorywalk_new(const dump_arg *dump);

/*
 * The next pages that have been written and follow one another, at most `limit`. 1 with *run, which
 * lies in one region; 0: there are no more; -ESRCH: the process has gone.
 */
int memorywalk_next(struct memorywalk *walk, size_t limit, page_run *run);

/* The same for pages of `range`, as far as that lies in one region, until there are none left. */
int memorywalk_take(struct memorywalk *walk, const page_run *range, page_run *run);

/* NULL is allowed. */
void memorywalk_free(struct memorywalk *walk);

#endif
