/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <string.h>

#include "common/hostname.h"
#include "tests/unit/tap.h"

static void test_good(void)
{
    static const char *const good[] = {
        "master", "m", "7up", "node-1.cluster.example.org", "example.org.", "my_host", "10.0.4.1",
        "1.2.3.4.example", "xn--bcher-kva.example"
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        ok(hostname_good(good[i]), "'%s' is one", good[i]);
}

static void test_bad(void)
{
    static const char *const bad[] = {
        "", ".", "a b", "a..b", ".a", "-a", "a-.b", "a\n", "a/b", "a:b", "10.0.0.256", "10.0.0",
        "77", "::1", "b\303\274cher", "a;reboot", "$(x)"
    };
    char name[300];

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ok(!hostname_good(bad[i]), "'%s' is none", bad[i]);
    memset(name, 'a', sizeof(name));
    name[64] = '\0';
    ok(!hostname_good(name), "a label has an end");
    ok(hostname_good(name + 1), "which is after 63 letters");
    memset(name, 'a', sizeof(name));
    for (size_t i = 9; i < sizeof(name); i += 10)
        name[i] = '.';
    name[254] = '\0';
    ok(!hostname_good(name), "and so has a name");
    ok(hostname_good(name + 1), "which is after 253");
}

int main(void)
{
    test_good();
    test_bad();
    return done_testing();
}
