/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The calls that are answered at once from the tables: who am I, lists, access, administration.
 * They know nothing of connections, so that a slave can pass on those of its own clients.
 */
#ifndef MASTERD_NODECALLS_H
#define MASTERD_NODECALLS_H

#include "masterd/caller.h"

/* What a call answers: `ret` encoded with `encode`, or an error with words. */
struct answer {
    xdrproc_t encode;       /* NULL: nothing to say but yes */
    void *ret;              /* malloc'd, ended by answer_free() */
    size_t ret_size;
    char text[256];
};

/*
 * Runs the call. 0, a positive errno (BE_* included) with answer->text set, or -EPROTO for bytes
 * that do not decode (the connection is to be closed). `passed` admits reading calls only.
 * Blocks for the disk where something is changed.
 */
int nodecall_run(const struct caller *caller, bproc_proc proc, int passed, const uint8_t *body,
                 size_t len, struct answer *answer);

/* Whether nodecall_run() knows the procedure. */
int nodecall_known(bproc_proc proc);

void answer_free(struct answer *answer);

#endif
