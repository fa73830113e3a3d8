/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "masterd/stats.h"

/* Microseconds; what took longer is in none. */
static const unsigned limits[] = {
    1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000,
    10000000, 60000000
};
#define LIMITS (sizeof(limits) / sizeof(limits[0]))

_Static_assert(LIMITS <= BPROC_MAX_BUCKETS, "the message has room for all");

static struct {
    time_t started;
    uint64_t ok, failed, usec, bytes;
    uint64_t buckets[LIMITS];
} stats;

void stats_start(void)
{
    stats.started = time(NULL);
}

void stats_moved(uint64_t usec)
{
    stats.ok++;
    stats.usec += usec;
    for (size_t i = 0; i < LIMITS; i++)
        stats.buckets[i] += usec <= limits[i];
}

void stats_sent(uint64_t bytes)
{
    stats.bytes += bytes;
}

void stats_failed(void)
{
    stats.failed++;
}

int stats_fill(stats_ret *ret)
{
    ret->started = stats.started;
    ret->ok = stats.ok;
    ret->failed = stats.failed;
    ret->usec = stats.usec;
    ret->bytes = stats.bytes;
    ret->limits.limits_val = calloc(LIMITS, sizeof(*ret->limits.limits_val));
    ret->buckets.buckets_val = calloc(LIMITS, sizeof(*ret->buckets.buckets_val));
    if (!ret->limits.limits_val || !ret->buckets.buckets_val)
        return -ENOMEM;
    ret->limits.limits_len = ret->buckets.buckets_len = LIMITS;
    memcpy(ret->limits.limits_val, limits, sizeof(limits));
    for (size_t i = 0; i < LIMITS; i++)
        ret->buckets.buckets_val[i] = stats.buckets[i];
    return 0;
}
