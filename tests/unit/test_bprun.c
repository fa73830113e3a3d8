/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <math.h>

#include <sys/bproc.h>

#include "tests/unit/tap.h"
#include "tools/bprun_load.h"

static char text[256];

/* Takes `count` places out of `loads` and gives their nodes, as text. */
static const char *taken(struct load *loads, size_t nloads, const char *usable, int count)
{
    struct load_list list = { loads, nloads };

    *text = '\0';
    for (int i = 0; i < count; i++) {
        const struct load *load = load_take(&list, usable);

        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%d", i ? ":" : "",
                 load ? load->node : -9);
    }
    return text;
}

static void test_equal(void)
{
    struct load loads[] = { { BPROC_NODE_MASTER, 2, 0, 0 }, { 0, 2, 0, 0 }, { 1, 2, 0, 0 } };

    is_str(taken(loads, 3, "\1\1\1", 7), "0:1:-1:0:1:-1:0", "equal machines take turns");
}

static void test_loads(void)
{
    struct load loads[] = { { 0, 4, 3.9, 0 }, { 1, 4, 1, 0 }, { 2, 4, 0, 0 } };
    struct load large[] = { { 0, 1, 0, 0 }, { 1, 8, 3, 0 } };
    struct load absurd[] = { { 0, 1, 1e300, 0 }, { 1, 1, -1e300, 1 }, { 2, 1, NAN, 0 },
                             { 3, 2, 0, 0 } };
    struct load near[] = { { 0, 4, 0.2, 3 }, { 1, 4, 0.1, 2 }, { 2, 4, 0.3, 1 } };

    is_str(taken(loads, 3, "\1\1\1", 6), "2:1:2:1:2:1", "the least loaded one comes first");
    is_str(taken(large, 2, "\1\1", 7), "0:1:1:1:1:1:0", "a large one takes more");
    is_str(taken(near, 3, "\1\1\1", 3), "2:1:0", "processes decide between about equal loads");
    is_str(taken(absurd, 4, "\1\1\1\1", 4), "3:1:3:1", "figures without sense do no harm");
}

static void test_usable(void)
{
    struct load loads[] = { { 0, 2, 0, 0 }, { 1, 2, 9, 0 } };
    const struct load_list list = { loads, 2 };

    is_str(taken(loads, 2, "\0\1", 2), "1:1", "one that may not be used is left alone");
    is_str(taken(loads, 2, "\0\0", 1), "-9", "there may be none");
    ok(load_find(&list, 1) == &loads[1] && !load_find(&list, 2), "one by its number");
}

int main(void)
{
    test_equal();
    test_loads();
    test_usable();
    return done_testing();
}
