/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of vector.h share: vector.c, its life; vector_make.c, how it begins. */
#ifndef MOVES_VECTOR_IMPL_H
#define MOVES_VECTOR_IMPL_H

#include <event2/event.h>

#include "moves/move_impl.h"

struct vector {
    struct event *turn;
    struct event *hold;                 /* how long who waits on its node does so for others */
    int held;                           /* long enough */
    unsigned count;                     /* room in moves */
    unsigned alive;
    struct move *moves[1 + BPROC_MAX_VECTOR];   /* the first is dumped; NULL: gone */
    node_place places[1 + BPROC_MAX_VECTOR];    /* where it goes, once that is known */
    int nodes[1 + BPROC_MAX_VECTOR];
    int given[1 + BPROC_MAX_VECTOR];    /* what it got is the image */
    int forks;                          /* they may be forked */
    int lead_pid;
    int image;                          /* -1: not yet */
    int memory;                         /* beside it; -1 */
    dump_arg dump;                      /* what it is the image of */
    share_word word;
    move_handover_arg arg;              /* whose streams are all the others', too */
    int originals[BPROC_MAX_FDS];
    unsigned noriginals;
};

/* One with room for so many, none of them in it. NULL: out of memory. */
struct vector *vector_new(unsigned count);

#endif
