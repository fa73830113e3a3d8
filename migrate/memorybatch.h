/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages of a process that go over a connection together. Life: memorybatch_clear(), any number of
 * memorybatch_note(), memorybatch_read(); then they are sent, and it may be filled anew. Nothing
 * here waits for anybody.
 */
#ifndef BPROC_MEMORYBATCH_H
#define BPROC_MEMORYBATCH_H

#include <stddef.h>
#include <stdint.h>

#include "migrate/pagestore.h"
#include "proto/bproc.h"

struct memorybatch {
    int offered;                        /* they are to be sent by name first; the owner's */
    size_t pages;
    unsigned count;
    page_run runs[BPROC_MAX_BATCH];
    page_run found[BPROC_MAX_BATCH];    /* as they were before those of zeros went */
    uint8_t names[BPROC_MAX_BATCH][PAGE_HASH];  /* if it is offered */
    uint8_t *data;                      /* room for as many pages as are noted; the owner's */
};

void memorybatch_clear(struct memorybatch *batch);

/* There must be room: at most BPROC_MAX_BATCH pages in all. */
void memorybatch_note(struct memorybatch *batch, const page_run *run);

/*
 * Reads what was noted from /proc/PID/mem; pages of zeros are as if never written, and dropped. 0
 * or -errno; -ESRCH: the process has gone.
 */
int memorybatch_read(struct memorybatch *batch, int memory);

#endif
