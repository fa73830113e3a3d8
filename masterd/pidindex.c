/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "masterd/pidindex.h"

struct number {
    int pid;
    unsigned count;
    int *nodes;
    UT_hash_handle hh;
};

static struct number *numbers;

static struct number *number_find(int pid)
{
    struct number *number;

    HASH_FIND_INT(numbers, &pid, number);
    return number;
}

static void number_free(struct number *number)
{
    HASH_DEL(numbers, number);
    free(number->nodes);
    free(number);
}

static struct number *number_get(int pid)
{
    struct number *number = number_find(pid);

    if (number)
        return number;
    number = calloc(1, sizeof(*number));
    if (!number)
        return NULL;
    number->pid = pid;
    HASH_ADD_INT(numbers, pid, number);
    return number;
}

int pidindex_add(int pid, int node)
{
    struct number *number = number_get(pid);
    int *more = number ? realloc(number->nodes, (number->count + 1) * sizeof(*more)) : NULL;

    if (!more) {
        if (number && number->count == 0)
            number_free(number);
        return -ENOMEM;
    }
    number->nodes = more;
    more[number->count++] = node;
    return 0;
}

void pidindex_remove(int pid, int node)
{
    struct number *number = number_find(pid);

    for (unsigned i = 0; number && i < number->count; i++) {
        if (number->nodes[i] != node)
            continue;
        number->nodes[i] = number->nodes[--number->count];
        break;
    }
    if (number && number->count == 0)
        number_free(number);
}

int pidindex_next(int pid, int after)
{
    const struct number *number = number_find(pid);
    int next = PIDINDEX_END;

    for (unsigned i = 0; number && i < number->count; i++)
        if (number->nodes[i] > after && (next == PIDINDEX_END || number->nodes[i] < next))
            next = number->nodes[i];
    return next;
}
