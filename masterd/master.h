/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every part of masterd may know: the loop, the configuration in force and who we are. Filled
 * at the start by masterd.c, which also swaps `conf` at a reload; parts keep no pointers into it.
 */
#ifndef MASTERD_MASTER_H
#define MASTERD_MASTER_H

#include <stdint.h>
#include <event2/event.h>

#include "common/conf.h"

struct master {
    struct event_base *base;
    struct conf *conf;
    uint64_t instance;          /* random for each start */
    int64_t started;            /* monotonic milliseconds */
};

extern struct master master;

/* Monotonic milliseconds. */
int64_t master_now(void);

#endif
