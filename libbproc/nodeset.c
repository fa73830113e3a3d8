/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BProc 4's sets of nodes, and what picks nodes out of them. */
#define BPROC_API_VERSION 4
#include "config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>

#include "libbproc/client.h"
#include "libbproc/node.h"

#define FIRST_ROOM 16

int bproc_nodeset_init(struct bproc_node_set_t *set, int size)
{
    if (!set)
        return client_result(-EINVAL);
    *set = (struct bproc_node_set_t)BPROC_EMPTY_NODESET;
    return bproc_nodeset_grow(set, size);
}

int bproc_nodeset_grow(struct bproc_node_set_t *set, int size)
{
    struct bproc_node_info_t *more;

    if (!set || size < 0)
        return client_result(-EINVAL);
    if (size <= set->alloc)
        return 0;
    more = reallocarray(set->node, (size_t)size, sizeof(*more));
    if (!more)
        return client_result(-ENOMEM);
    memset(more + set->alloc, 0, (size_t)(size - set->alloc) * sizeof(*more));
    set->node = more;
    set->alloc = size;
    return 0;
}

void bproc_nodeset_free(struct bproc_node_set_t *set)
{
    if (!set)
        return;
    free(set->node);
    *set = (struct bproc_node_set_t)BPROC_EMPTY_NODESET;
}

static int room_make(struct bproc_node_set_t *set, int more)
{
    int size = set->alloc ? set->alloc : FIRST_ROOM;

    if (more > INT_MAX / 2 - set->size)
        return client_result(-ENOMEM);
    while (size < set->size + more)
        size *= 2;
    return bproc_nodeset_grow(set, size);
}

/* The record may be in the set itself, which moves. */
int bproc_nodeset_add(struct bproc_node_set_t *set, struct bproc_node_info_t *info)
{
    struct bproc_node_info_t copy;

    if (!set || !info)
        return client_result(-EINVAL);
    /* It may lie in the set itself, which moves as it grows. */
    copy = *info;
    if (room_make(set, 1) < 0)
        return -1;
    set->node[set->size++] = copy;
    return 0;
}

int bproc_nodeset_append(struct bproc_node_set_t *dst, struct bproc_node_set_t *src)
{
    int count = src->size;

    if (count == 0)
        return 0;
    if (room_make(dst, count) < 0)
        return -1;
    memcpy(dst->node + dst->size, src->node, (size_t)count * sizeof(*dst->node));
    dst->size += count;
    return 0;
}

/* ---- specifications ---- */

/* Adds the nodes with a number from `low` to `high`. */
static int range_add(struct bproc_node_set_t *out, const struct bproc_node_set_t *in, long low,
                     long high)
{
    for (int i = 0; i < in->size; i++)
        if (in->node[i].node >= low && in->node[i].node <= high &&
            bproc_nodeset_add(out, &in->node[i]) < 0)
            return -ENOMEM;
    return 0;
}

static int state_add(struct bproc_node_set_t *out, const struct bproc_node_set_t *in,
                     const char *state, int inverse)
{
    for (int i = 0; i < in->size; i++)
        if (in->node[i].node >= 0 && (strcmp(in->node[i].status, state) == 0) != inverse &&
            bproc_nodeset_add(out, &in->node[i]) < 0)
            return -ENOMEM;
    return 0;
}

static int master_add(struct bproc_node_set_t *out, const struct bproc_node_set_t *in)
{
    struct bproc_node_info_t master = { .node = BPROC_NODE_MASTER, .mode = 0111,
                                        .addr = { .sa_family = AF_INET } };
    int before = out->size;
    int error = range_add(out, in, BPROC_NODE_MASTER, BPROC_NODE_MASTER);

    if (error || out->size > before)
        return error;
    strcpy(master.status, node_state_word(NODE_UP));
    return bproc_nodeset_add(out, &master) < 0 ? -ENOMEM : 0;
}

/* The number at *at, which goes on to what follows it; -1 if there is none. */
static long number_take(const char **at)
{
    char *end;
    long number;

    if (!isdigit((unsigned char)**at))
        return -1;
    errno = 0;
    number = strtol(*at, &end, 0);
    *at = end;
    return errno ? LONG_MAX : number;
}

/* N, N-M, N-: 1 if `word` is none of them. */
static int numbers_add(struct bproc_node_set_t *out, const struct bproc_node_set_t *in,
                       const char *word)
{
    long low, high;

    if (*word == 'n' || *word == '.')
        word++;
    high = low = number_take(&word);
    if (low < 0)
        return 1;
    if (*word == '-') {
        word++;
        if (*word == 'n' || *word == '.')
            word++;
        high = *word ? number_take(&word) : LONG_MAX;
    }
    return *word || high < 0 ? 1 : range_add(out, in, low, high);
}

/* What BProc 3 took for the master is no node here, but no mistake either. */
static int word_add(struct bproc_node_set_t *out, const struct bproc_node_set_t *in,
                    const char *word)
{
    const char *state = strncmp(word, "all", 3) == 0 ? word + 3 : word;
    int inverse = strncmp(state, "not", 3) == 0;
    int error;

    if (strcmp(word, "-1") == 0)
        return 0;
    if (strcmp(word, "master") == 0)
        return master_add(out, in);
    if (strcmp(word, "all") == 0)
        return range_add(out, in, 0, LONG_MAX);
    error = numbers_add(out, in, word);
    if (error <= 0)
        return error;
    if (inverse)
        state += 3;
    return node_state_number(state) < 0 ? -EINVAL : state_add(out, in, state, inverse);
}

/* Appends to `out`; `spec` is cut up. */
static int words_add(struct bproc_node_set_t *out, const struct bproc_node_set_t *in, char *spec)
{
    int error = 0;
    char *word;

    while (!error && (word = strsep(&spec, ",")))
        error = word_add(out, in, word);
    return error;
}

int bproc_nodefilter(struct bproc_node_set_t *out, struct bproc_node_set_t *in, const char *spec)
{
    struct bproc_node_set_t found = BPROC_EMPTY_NODESET;
    char *copy;
    int error;

    if (!out || !in || !spec)
        return client_result(-EINVAL);
    copy = strdup(spec);
    error = copy ? words_add(&found, in, copy) : -ENOMEM;
    if (!error && bproc_nodeset_append(out, &found) < 0)
        error = -ENOMEM;
    free(copy);
    bproc_nodeset_free(&found);
    return client_result(error);
}

int bproc_nodespec(struct bproc_node_set_t *out, const char *spec)
{
    struct bproc_node_set_t all = BPROC_EMPTY_NODESET;
    int result = bproc_nodelist(&all) < 0 ? -1 : bproc_nodefilter(out, &all, spec);
    int saved = errno;

    bproc_nodeset_free(&all);
    errno = saved;
    return result;
}
