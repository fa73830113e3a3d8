/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A child of a vector arrives: what is different for it. Part of arrival.h. All blocking; 0 or
 * -errno with a reason in arrival->text.
 */
#ifndef BPROC_ARRIVAL_VECTOR_H
#define BPROC_ARRIVAL_VECTOR_H

#include "migrate/arrival_launch.h"

/*
 * All of its memory, from another node or if that comes to nothing from its owner; other nodes may
 * have it from here meanwhile. `pid`: its number here.
 */
int arrival_memory(struct arrival *arrival, struct memoryrecv *memory, pid_t pid);

/* The image is made its own: it was another child's. */
int arrival_renumber(struct arrival *arrival);

/* Others may be forked by it, which was restored and waits at its gate. */
int arrival_forks_offer(struct arrival *arrival);

/* Nobody is any more. */
void arrival_forks_end(struct arrival *arrival);

/* It is forked by one of them: as arrival_launch(). */
int arrival_fork(struct arrival *arrival);

#endif
