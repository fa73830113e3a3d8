/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <unistd.h>

#include "tests/unit/tap.h"
#include "tools/nodespec.h"

/* 7 is not configured; the address of node n is 10.0.4.(100 + n). */
static struct bproc_node_info_t nodes[] = {
    { .node = 0, .status = bproc_node_up },
    { .node = 1, .status = bproc_node_up },
    { .node = 2, .status = bproc_node_down },
    { .node = 3, .status = bproc_node_error },
    { .node = 4, .status = bproc_node_boot },
    { .node = 5, .status = bproc_node_down },
    { .node = 6, .status = bproc_node_up },
    { .node = 8, .status = bproc_node_unavailable },
};

static const struct tool_nodes table = {
    .list = nodes, .count = sizeof(nodes) / sizeof(nodes[0]), .self = 3
};

static char text[256];

/* What SPEC denotes, as "0 1 2", or "error" with the reason in text. */
static const char *expand(const char *spec)
{
    static char result[1024];
    struct nodespec list = { 0 };
    size_t used = 0;
    int error = nodespec_add(&list, spec, &table, text, sizeof(text));

    result[0] = '\0';
    for (size_t i = 0; i < list.count; i++)
        used += (size_t)snprintf(result + used, sizeof(result) - used, "%s%d", i ? " " : "",
                                 list.nodes[i]);
    nodespec_free(&list);
    return error ? "error" : result;
}

static void test_numbers(void)
{
    is_str(expand("5"), "5", "a number");
    is_str(expand("n5"), "5", "n and a number");
    is_str(expand(".5"), "5", "a dot and a number");
    is_str(expand("010"), "10", "a leading zero changes nothing");
    is_str(expand("99"), "99", "a number nobody has configured stays, for the call to refuse");
    is_str(expand("2-6"), "2 3 4 5 6", "a range has both ends");
    is_str(expand("n2-n4"), "2 3 4", "a range of names");
    is_str(expand("6-9"), "6 8", "a range leaves out what is not configured");
    is_str(expand("5-"), "5 6 8", "an open range goes to the highest");
    is_str(expand("6-2"), "", "a descending range is empty");
    is_str(expand("4-4"), "4", "a range of one");
}

static void test_words(void)
{
    char host[256] = "";

    is_str(expand("-1"), "-1", "-1 is the master");
    is_str(expand("n-1"), "-1", "n-1 is the master");
    is_str(expand("master"), "-1", "master");
    is_str(expand("self"), "3", "self");
    is_str(expand("localhost"), "3", "localhost is self");
    if (gethostname(host, sizeof(host) - 1) == 0)
        ok(strcmp(expand(host), "error") != 0, "the own host name is a node");
    is_str(expand("all"), "0 1 2 3 4 5 6 8", "all is every node but the master");
    is_str(expand("allup"), "0 1 6", "allup");
    is_str(expand("up"), "0 1 6", "up");
    is_str(expand("alldown"), "2 5", "alldown");
    is_str(expand("allerror"), "3", "allerror");
    is_str(expand("allboot"), "4", "allboot");
    is_str(expand("allunavailable"), "8", "allunavailable");
    is_str(expand("allhalt"), "", "a state nobody is in is empty");
    is_str(expand("allnotup"), "2 3 4 5 8", "allnotup");
    is_str(expand("allnotdown"), "0 1 3 4 6 8", "allnotdown");
    is_str(expand("notdown"), "0 1 3 4 6 8", "notdown");
}

static void test_lists(void)
{
    for (int i = 0; i < table.count; i++) {
        const uint8_t addr[4] = { 10, 0, 4, (uint8_t)(100 + nodes[i].node) };

        memcpy(&nodes[i].addr, addr, sizeof(addr));
    }
    is_str(expand("6,0,3-4"), "6 0 3 4", "commas keep the order");
    is_str(expand("1,1,allup"), "1 1 0 1 6", "what is named twice is there twice");
    is_str(expand("-1,0"), "-1 0", "the master may stand in a list");
    is_str(expand("10.0.4.106"), "6", "an address");
    is_str(expand("10.0.4.107"), "error", "an address of no node");
}

static void test_errors(void)
{
    static const char *const bad[] = {
        "", ",", "1,", "x", "n", ".", "-2", "-100", "1-x", "1--2", "1-2-3", "1x", "ALL", "allfoo",
        "allnot", "not", "4294967296", "99999999999999999999", "1 ", " 1"
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        is_str(expand(bad[i]), "error", "'%s' is refused", bad[i]);
    expand("0,bogus,1");
    is_str(text, "'bogus' is no node", "the reason names the part that is wrong");
}

static void test_limit(void)
{
    static char spec[2 * NODESPEC_MAX + 3];
    struct nodespec list = { 0 };

    for (size_t i = 0; i < NODESPEC_MAX; i++)
        memcpy(spec + 2 * i, "1,", 2);
    memcpy(spec + 2 * (size_t)NODESPEC_MAX, "1", 2);
    is_int(nodespec_add(&list, spec, &table, text, sizeof(text)), -E2BIG, "there is a limit");
    nodespec_free(&list);
}

static void test_states(void)
{
    is_int(nodespec_state("pwroff"), bproc_node_pwroff, "a state by its name");
    is_int(nodespec_state("on"), -1, "no state");
    is_str(nodespec_state_name(bproc_node_boot), "boot", "a name by its state");
    is_str(nodespec_state_name(BPROC_NODE_NSTATES), "unknown", "a state out of range");
}

int main(void)
{
    test_numbers();
    test_words();
    test_lists();
    test_errors();
    test_limit();
    test_states();
    return done_testing();
}
