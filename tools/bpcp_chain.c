/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "tools/bpcp_chain.h"

/* What bpcp keeps for a target that it sends to by itself. */
#define KEPT_DIRECT (1 << 20)

/* What it keeps for a chain has to cover all that is under way in it. */
#define KEPT_CHAIN (32 << 20)

void chain_init(struct chain *chain, struct branch *branches, size_t count, int self)
{
    *chain = (struct chain) { .branches = branches, .count = count, .self = self };
}

/* Each target is ready, or will never be. */
static bool all_ready(const struct chain *chain)
{
    for (size_t i = 0; i < chain->count; i++)
        if (branch_lives(&chain->branches[i]) && !chain->branches[i].name[0])
            return false;
    return true;
}

/* The next that can be part of a chain; a target on this machine costs no link. */
static struct branch *member_next(const struct chain *chain, size_t *index)
{
    while (*index < chain->count) {
        struct branch *branch = &chain->branches[(*index)++];

        if (branch_lives(branch) && branch->task->node != chain->self)
            return branch;
    }
    return NULL;
}

static void chain_make(struct chain *chain, struct ring *stream)
{
    size_t index = 0;
    struct branch *first = member_next(chain, &index), *before = first, *branch;

    while (before && (branch = member_next(chain, &index)) != NULL) {
        branch_join(before, branch, stream->end);
        before = branch;
    }
    chain->settled = true;
    /* Without memory for more it is slower. */
    ring_resize(stream, before == first ? KEPT_DIRECT : KEPT_CHAIN);
}

void chain_settle(struct chain *chain, struct ring *stream)
{
    /* Less is with all targets before they would have found each other. */
    if (!chain->settled && stream->end >= CHAIN_ROOM && all_ready(chain))
        chain_make(chain, stream);
    for (size_t i = 0; i < chain->count; i++)
        branch_follow(&chain->branches[i]);
}

uint64_t chain_done(const struct chain *chain, uint64_t end)
{
    uint64_t lowest = UINT64_MAX;

    for (size_t i = 0; i < chain->count; i++) {
        const struct branch *branch = &chain->branches[i];

        if (branch_lives(branch) && branch_pos(branch) < lowest)
            lowest = branch_pos(branch);
    }
    return lowest == UINT64_MAX ? end : lowest;
}

uint32_t chain_refused(const struct chain *chain)
{
    uint32_t number = 0;

    for (size_t i = 0; i < chain->count; i++) {
        const struct branch *branch = &chain->branches[i];

        if (!branch_lives(branch))
            continue;
        if (branch->refused == 0 || (number > 0 && branch->refused != number))
            return 0;
        number = branch->refused;
    }
    return number;
}
