/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which blocks of a process's memory are asked for, and how many at a time. */
#include "config.h"

#include <stdlib.h>

#include "migrate/memorywants.h"
#include "migrate/pagestore.h"
#include "tests/unit/tap.h"

#define BLOCK (64 * PAGE_BYTES)
#define AT (1000 * BLOCK)
#define FEW 16
#define MANY 6000

static struct memorywants *wants_of(const page_region *regions, unsigned count)
{
    struct memorywants *wants = memorywants_new(regions, count);

    if (wants)
        return wants;
    printf("Bail out! no memory\n");
    exit(99);
}

static void is_next(struct memorywants *wants, uint64_t start, unsigned pages, const char *name)
{
    page_run want = { .start = 0 };
    int found = memorywants_next(wants, &want);

    ok(found == 1 && want.start == start && want.pages == pages,
       "%s: %u pages from %#llx on", name, want.pages, (unsigned long long)want.start);
}

static void is_none(struct memorywants *wants, const char *name)
{
    page_run want;

    is_int(memorywants_next(wants, &want), 0, "%s", name);
}

static void blocks_are_of_regions(void)
{
    const page_region regions[] = { { AT + PAGE_BYTES, BLOCK }, { AT + 2 * BLOCK, BLOCK / 2 } };
    struct memorywants *wants = wants_of(regions, 2);

    memorywants_add(wants, AT);
    memorywants_add(wants, AT + 3 * BLOCK);
    is_none(wants, "nothing outside of the regions is asked for");
    memorywants_add(wants, AT + 5 * PAGE_BYTES);
    memorywants_add(wants, AT + 2 * BLOCK + PAGE_BYTES);
    memorywants_add(wants, AT + BLOCK);
    is_next(wants, AT + PAGE_BYTES, 63, "what begins in a block");
    is_next(wants, AT + 2 * BLOCK, 32, "what is short");
    is_next(wants, AT + BLOCK, 1, "what ends in a block");
    memorywants_free(wants);
}

static void asks_once(void)
{
    const page_region region = { AT, 8 * BLOCK };
    struct memorywants *wants = wants_of(&region, 1);

    memorywants_add(wants, AT);
    memorywants_add(wants, AT + PAGE_BYTES);
    memorywants_given(wants, AT);
    is_next(wants, AT, 64, "a block of which two pages are waited for");
    memorywants_add(wants, AT);
    is_none(wants, "is not asked for twice");
    memorywants_given(wants, AT);
    memorywants_given(wants, AT);
    is_none(wants, "nor again when it has come");
    memorywants_add(wants, AT);
    is_next(wants, AT, 64, "but if somebody lacks it then");
    memorywants_free(wants);
}

/* However many wait. */
static void few_are_on_their_way(void)
{
    const page_region region = { AT, MANY * BLOCK };
    struct memorywants *wants = wants_of(&region, 1);
    unsigned asked = 0, given = 0, most = 0;
    page_run want;

    for (unsigned i = 0; i < MANY; i++)
        memorywants_add(wants, AT + i * BLOCK);
    while (given < MANY && given <= asked) {
        while (memorywants_next(wants, &want) && want.start == AT + asked * BLOCK)
            asked++;
        most = asked - given > most ? asked - given : most;
        memorywants_given(wants, AT + given++ * BLOCK);
    }
    is_int(asked, MANY, "all are asked for in their turn");
    is_int(most, FEW, "few at a time");
    is_none(wants, "and no more");
    memorywants_free(wants);
}

int main(void)
{
    blocks_are_of_regions();
    asks_once();
    few_are_on_their_way();
    return done_testing();
}
