/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(second) ((second)->pid = 0)
#include <uthash.h>

#include "slaved/seconds.h"

struct second {
    pid_t pid;
    uint32_t serial;            /* of its launch; 0: born there */
    UT_hash_handle hh;
};

static struct second *seconds;

static struct second *second_find(pid_t pid)
{
    struct second *second;

    HASH_FIND_INT(seconds, &pid, second);
    return second;
}

static void second_free(struct second *second)
{
    HASH_DEL(seconds, second);
    free(second);
}

int seconds_add(pid_t pid, uint32_t serial)
{
    struct second *second;

    if (second_find(pid))
        return -EEXIST;
    second = calloc(1, sizeof(*second));
    if (!second)
        return -ENOMEM;
    second->pid = pid;
    second->serial = serial;
    HASH_ADD_INT(seconds, pid, second);
    if (second->pid)
        return 0;
    free(second);
    return -ENOMEM;
}

void seconds_remove(pid_t pid)
{
    struct second *second = second_find(pid);

    if (second)
        second_free(second);
}

void seconds_refused(uint32_t serial)
{
    struct second *second, *next;

    HASH_ITER(hh, seconds, second, next)
        if (second->serial == serial)
            second_free(second);
}

int seconds_has(pid_t pid)
{
    return second_find(pid) != NULL;
}

unsigned seconds_list(int *pids, unsigned max)
{
    struct second *second, *next;
    unsigned count = 0;

    HASH_ITER(hh, seconds, second, next)
        if (count < max)
            pids[count++] = second->pid;
    return count;
}

void seconds_clear(void)
{
    struct second *second, *next;

    HASH_ITER(hh, seconds, second, next)
        second_free(second);
}
