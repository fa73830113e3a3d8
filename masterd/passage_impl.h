/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the passages share; nobody else includes this. passage_allow.c begins one,
 * passage.c has the rest of its life; passage_check.c says whether it may be.
 */
#ifndef MASTERD_PASSAGE_IMPL_H
#define MASTERD_PASSAGE_IMPL_H

#include <sys/queue.h>

#include "masterd/passage.h"

struct passage {
    LIST_ENTRY(passage) entry;
    move_kind kind;
    int pid;
    int from, to;
    born_msg who;
    char args[BPROC_MAX_TEXT];
    struct rights *rights;
    int ghost;                  /* one will be at `from` */
    int entered;
    int fresh;                  /* it had no entry before */
    int *children;              /* its children, which get ghosts where it goes */
    unsigned nchildren;
    int64_t started;
};

unsigned passages_from(int node);

/* NULL: there is none. */
struct passage *passage_find(int pid, int from);

/* Into the list, from which passage_undo() and its good end take it. */
void passage_insert(struct passage *passage);

/* Takes back all that was entered for it, and frees it. */
void passage_undo(struct passage *passage);

/* A P_DEPART_ALLOW, as passage_message(). */
int passage_allow(struct node *from, struct conn *conn, const struct frame_header *header,
                  const uint8_t *body);

#endif
