/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The children of a vrfork that are made of one image. Each is a move of its own; what they share
 * is here.
 *
 * Life: the one that is dumped hands all of them over and begins at once. When its image is there,
 * each other node that one of them goes to gets it, and restores it; the first one that waits on a
 * node forks those that follow it there, and is committed after that. Whoever fails fails alone: a
 * fork that cannot be made is restored, and if the dump itself comes to nothing, the others are
 * told to try with another one (BPROC_IMAGE_LOST). Ends with its last move.
 *
 * Large memory goes from node to node, in the order of the vector; see share in bproc.x. It is read
 * where it lies, in the one that was dumped and in those that are restored already. So nobody runs
 * before all of them have theirs, or have been waited for long enough, and whoever has it not when
 * the one that was dumped goes is told to try with another one, too.
 */
#ifndef MOVES_VECTOR_H
#define MOVES_VECTOR_H

#include "moves/move.h"

/*
 * Makes moves of the others in lead->arg, and lead's streams theirs as well. 0 or a positive errno:
 * then there are none.
 */
int vector_make(struct move *lead, const struct caller *caller);

/* The image of the one that is dumped, and the memory beside it or -1; takes both. */
void vector_image(struct move *move, int image, int memory);

/* Tells the mover of one that has another's image what was dumped. */
void vector_dump(struct move *move);

/* It waits on its node. 1: it goes on when the vector says so. */
int vector_holds(struct move *move);

/* It has failed. 1: it begins anew, in another way. */
int vector_retries(struct move *move);

/* What its mover is to know; borrowed. */
void vector_tell(const struct move *move, vector_share *out);
const move_handover_arg *vector_streams(const struct move *move, const int **originals,
                                        unsigned *count);
int vector_folder(const struct move *move);

/* A place that its node has been found at, for those that follow. */
void vector_place(struct move *move, const node_place *to);

/* The move ends, whatever came of it; one without a vector is allowed. */
void vector_leave(struct move *move);

#endif
