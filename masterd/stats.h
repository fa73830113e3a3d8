/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counts of transfers since the start, for whoever watches the cluster.
 */
#ifndef MASTERD_STATS_H
#define MASTERD_STATS_H

#include <stdint.h>

#include "proto/bproc.h"

void stats_start(void);

/* A transfer ended well, having taken so long; so many bytes were its image; or it failed. */
void stats_moved(uint64_t usec);
void stats_sent(uint64_t bytes);
void stats_failed(void);

/* Fills *ret; 0, or -ENOMEM, then what it has is still to be freed. */
int stats_fill(stats_ret *ret);

#endif
