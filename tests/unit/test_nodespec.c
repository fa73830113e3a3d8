/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/tap.h"
#include "tools/nodegroup.h"
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

int nodegroup_find(const char *name, const char **spec)
{
    static const struct nodegroup groups[] = {
        { "low", "0-2" }, { "some", "@low,5,!1" }, { "loop", "@pool" }, { "pool", "3,@loop" },
        { "bad", "0,fish" }, { "empty", "9-" }, { "others", "!@low" }
    };

    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
        if (strcmp(groups[i].name, name) == 0) {
            *spec = groups[i].spec;
            return 0;
        }
    return -ENOENT;
}

const char *tool_reason(int error)
{
    return strerror(error);
}

/* What SPEC denotes, as "0 1 2", or "error" with the reason in text. */
static const char *expand(const char *spec)
{
    static char result[1024];
    struct nodeset list = { 0 };
    size_t used = 0;
    int error = nodespec_add(&list, spec, &table, text, sizeof(text));

    result[0] = '\0';
    for (size_t i = 0; i < list.count; i++)
        used += (size_t)snprintf(result + used, sizeof(result) - used, "%s%d", i ? " " : "",
                                 list.nodes[i]);
    nodeset_free(&list);
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

static void test_folded(void)
{
    is_str(expand("n[0-3]"), "0 1 2 3", "a folded range");
    is_str(expand("n[0-3,5],8"), "0 1 2 3 5 8", "commas inside and outside of brackets");
    is_str(expand("[0-1]"), "0 1", "brackets alone");
    is_str(expand(".[0-1]"), "0 1", "and behind a dot");
    is_str(expand("n[9,7]"), "9 7", "numbers nobody has configured stay");
    is_str(expand("n[5-9]"), "5 6 8", "ranges leave them out");
    is_str(expand("n[00-03]"), "0 1 2 3", "leading zeros");
    is_str(expand("n[0-8/2]"), "0 2 4 6 8", "steps");
    is_str(expand("n[5-]"), "5 6 8", "open to the highest");
}

static void test_groups(void)
{
    is_str(expand("@low"), "0 1 2", "a group");
    is_str(expand("@some,n3"), "0 2 5 3", "a group of a group, without one");
    is_str(expand("@others"), "3 4 5 6 8", "a group that excludes only");
    is_str(expand("@empty"), "", "a group of nodes that are not there");
    is_str(expand("@fish"), "error", "no group");
    is_str(text, "'@fish' is no group of nodes", "is told");
    is_str(expand("@loop"), "error", "a group in itself");
    ok(strstr(text, "contains itself") != NULL, "is told");
    is_str(expand("@bad"), "error", "a group of what is none");
    is_str(text, "@bad: 'fish' is no node", "is told");
}

static void test_excluded(void)
{
    is_str(expand("all,!3"), "0 1 2 4 5 6 8", "! excludes");
    is_str(expand("!3,all"), "0 1 2 4 5 6 8", "wherever it stands");
    is_str(expand("all,-n3,-@low,-[5-6]"), "4 8", "- does so before what is no digit");
    is_str(expand("-1,1"), "-1 1", "before a digit it is the master");
    is_str(expand("master,0,!-1"), "0", "the master can be excluded");
    is_str(expand("!3,!up"), "2 4 5 8", "exclusions alone start from all");
    is_str(expand("1,1,!1"), "", "each time it is there");
    is_str(expand("@low&up"), "0 1", "& is for both");
    is_str(expand("all!@low"), "3 4 5 6 8", "! between two for the first without the second");
    is_str(expand("@low^1-4"), "0 3 4", "^ for one of the two");
    is_str(expand("all&0-4!1^4-6"), "0 2 3 5 6", "from left to right");
    is_str(expand("8,@low&up,5"), "8 0 1 5", "before commas");
    is_str(expand("all,!@low&up"), "2 3 4 5 6 8", "also behind an exclusion");
    is_str(expand("n[0-3]&n[2,3,5]"), "2 3", "folded sets");
    is_str(expand("up&"), "error", "both sides have to be there");
    is_str(text, "'' is no node", "is told");
    is_str(expand("up&fish"), "error", "and be nodes");
    is_str(text, "'fish' is no node", "is told, too");
}

/* 16 MiB are the most. */
static void test_long_file(int fd, const char *spec)
{
    static char blanks[16 * 1024 * 1024];

    memset(blanks, ' ', sizeof(blanks));
    blanks[sizeof(blanks) - 1] = '4';
    ok(pwrite(fd, blanks, sizeof(blanks), 0) == (ssize_t)sizeof(blanks), "a long file");
    is_str(expand(spec), "4", "is read");
    ok(pwrite(fd, "5", 1, sizeof(blanks)) == 1, "one that is too long");
    is_str(expand(spec), "error", "is not");
    ok(strstr(text, ": File too large") != NULL, "which is told");
}

static void test_file(void)
{
    char path[] = "test_nodespec.XXXXXX", spec[64], reason[128];
    int fd = mkstemp(path);

    dprintf(fd, "# some\n  n[0-1],3\t5 # more\n\n!n1\n8");
    snprintf(spec, sizeof(spec), "6,^%s", path);
    is_str(expand(spec), "6 0 3 5 8", "a file");
    ok(ftruncate(fd, 0) == 0 && *expand(spec + 2) == '\0', "an empty file is an empty set");
    dprintf(fd, "0,1\n");
    ok(pwrite(fd, "", 1, 1) == 1, "a zero byte");
    is_str(expand(spec + 2), "error", "is no end");
    snprintf(reason, sizeof(reason), "cannot read nodes from '%s': Not a text file", path);
    is_str(text, reason, "is told");
    test_long_file(fd, spec + 2);
    close(fd);
    unlink(path);
    is_str(expand("^/nowhere/at/all"), "error", "a file that is not there");
    is_str(text, "cannot read nodes from '/nowhere/at/all': No such file or directory", "is told");
}

static const char *fold(const char *spec)
{
    static char result[256];
    struct nodeset list = { 0 };
    char *folded = NULL;

    if (!*spec || nodespec_add(&list, spec, &table, text, sizeof(text)) == 0)
        folded = nodeset_fold(&list);
    snprintf(result, sizeof(result), "%s", folded ? folded : "error");
    free(folded);
    nodeset_free(&list);
    return result;
}

static void test_fold(void)
{
    is_str(fold("0,1,2,3,7"), "n[0-3,7]", "folds");
    is_str(fold("7,3,0,2,1,2"), "n[0-3,7]", "in whatever order, each once");
    is_str(fold("5"), "n5", "a single node has no brackets");
    is_str(fold("5,5"), "n5", "twice the same neither");
    is_str(fold("0,2,4"), "n[0,2,4]", "single numbers");
    is_str(fold("0,master,1"), "master,n[0-1]", "the master in front");
    is_str(fold("master"), "master", "alone");
    is_str(fold(""), "", "nothing");
    is_str(expand(fold("8,0-2,master")), "-1 0 1 2 8", "and is read back");
}

static void test_errors(void)
{
    static const char *const bad[] = {
        "", ",", "1,", "x", "n", ".", "-2", "-100", "1-x", "1--2", "1-2-3", "1x", "ALL", "allfoo",
        "allnot", "not", "n[0", "n0]", "n[]", "n[0,]", "n[x]", "n[0]1", "x[0]", "[0-3/0]", "0/2",
        "[n1]", "!", "!!3", "-", "@", "0,!", "n[[0]]",
        "4294967296", "99999999999999999999", "1 ", " 1"
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        is_str(expand(bad[i]), "error", "'%s' is refused", bad[i]);
    expand("0,bogus,1");
    is_str(text, "'bogus' is no node", "the reason names the part that is wrong");
}

static void test_limit(void)
{
    static char spec[2 * NODESET_MAX + 3];
    struct nodeset list = { 0 };

    for (size_t i = 0; i < NODESET_MAX; i++)
        memcpy(spec + 2 * i, "1,", 2);
    memcpy(spec + 2 * (size_t)NODESET_MAX, "1", 2);
    is_int(nodespec_add(&list, spec, &table, text, sizeof(text)), -E2BIG, "there is a limit");
    nodeset_free(&list);
}

static void test_states(void)
{
    is_int(nodelang_state("pwroff"), bproc_node_pwroff, "a state by its name");
    is_int(nodelang_state("on"), -1, "no state");
    is_str(nodelang_state_name(bproc_node_boot), "boot", "a name by its state");
    is_str(nodelang_state_name(BPROC_NODE_NSTATES), "unknown", "a state out of range");
}

int main(void)
{
    test_numbers();
    test_words();
    test_lists();
    test_folded();
    test_groups();
    test_excluded();
    test_file();
    test_fold();
    test_errors();
    test_limit();
    test_states();
    return done_testing();
}
