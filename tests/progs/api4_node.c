/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls about nodes, as a program of BProc 4 makes them. Speaks TAP. To run as root, on the master
 * of a cluster of three nodes, 0 and 1 up, 2 down. With "user": on a node; a user's part. With "get
 * NODE NAME": prints that attribute.
 */
#define BPROC_API_VERSION 4
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/tap.h"

static void states_are_words(void)
{
    char word[16], small[2];

    is_int(bproc_nodestatus(0, word, sizeof(word)), 2, "a state's length");
    is_str(word, "up", "and its word");
    memset(small, 'x', sizeof(small));
    is_int(bproc_nodestatus(2, small, 2), 4, "without room, too");
    ok(memcmp(small, "do", 2) == 0, "what there is room for is there, without a NUL");
    is_int(bproc_nodestatus(BPROC_NODE_MASTER, word, sizeof(word)), 2, "the master is up");
    ok(bproc_nodestatus(77, word, 16) == -1 && errno == BE_INVALIDNODE, "no such node");
    ok(bproc_nodestatus(0, word, -1) == -1 && errno == EINVAL, "a negative length");
    ok(bproc_nodesetstatus(0, "error") == 0 && bproc_nodestatus(0, word, 16) == 5 &&
           strcmp(word, "error") == 0, "a state can be set by its word");
    ok(bproc_nodesetstatus(0, "up") == 0, "and set back");
    ok(bproc_nodesetstatus(0, "sleeping") == 0 && bproc_nodestatus(0, word, 16) == 8 &&
           strcmp(word, "sleeping") == 0, "a word of one's own");
    ok(bproc_nodesetstatus(0, "up") == 0 && bproc_nodestatus(0, word, 16) == 2, "is gone with it");
    ok(bproc_nodesetstatus(0, "sixteen letters!") == -1 && errno == EINVAL, "a long word");
    ok(bproc_nodesetstatus(0, "") == -1 && errno == EINVAL, "none");
}

static void records(void)
{
    struct bproc_node_set_t set = BPROC_EMPTY_NODESET;
    struct bproc_node_info_t info;
    struct sockaddr_in *addr = (struct sockaddr_in *)&info.addr;

    ok(bproc_nodeinfo(1, &info) == 0 && info.node == 1 && strcmp(info.status, "up") == 0 &&
           info.mode == 0111 && info.user == 0 && info.group == 0, "a node's record");
    ok(addr->sin_family == AF_INET && addr->sin_addr.s_addr != 0, "with its address");
    ok(_bproc_access(&info, BPROC_X_OK) == 0, "may I use it");
    ok(_bproc_access(&info, 9) == -1 && errno == EINVAL, "an unknown mode");
    ok(_bproc_access(NULL, BPROC_X_OK) == -1 && errno == EINVAL, "no record");
    ok(bproc_nodeinfo(2, &info) == 0 && strcmp(info.status, "down") == 0, "one that is down");
    ok(bproc_nodeinfo(77, &info) == -1 && errno == BE_INVALIDNODE, "one that is none");
    is_int(bproc_nodelist(&set), 3, "all of them");
    ok(set.size == 3 && set.node[2].node == 2 && strcmp(set.node[2].status, "down") == 0,
       "in order");
    is_int(bproc_nodelist(&set), 3, "once more into the same set");
    is_int(set.size, 3, "instead of what it held");
    bproc_nodeset_free(&set);
    ok(set.size == 0 && set.alloc == 0 && !set.node, "an empty set again");
    is_int(bproc_numnodes(), 3, "their number");
    is_int(bproc_currnode(), BPROC_NODE_MASTER, "where I am");
}

static const char *numbers(const struct bproc_node_set_t *set)
{
    static char text[256];
    size_t len = 0;

    text[0] = '\0';
    for (int i = 0; i < set->size && len < sizeof(text); i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%d", i ? " " : "",
                                set->node[i].node);
    return text;
}

static void set_make(struct bproc_node_set_t *set)
{
    static const char *const states[] = { "up", "down", "up", "error", "up" };
    static const int nodes[] = { 0, 1, 2, 5, 9 };

    bproc_nodeset_init(set, 2);
    for (int i = 0; i < 5; i++) {
        struct bproc_node_info_t info = { .node = nodes[i] };

        strcpy(info.status, states[i]);
        bproc_nodeset_add(set, &info);
    }
}

static void specifications(void)
{
    static const struct {
        const char *spec, *want;
    } cases[] = {
        { "5", "5" }, { "n5", "5" }, { ".5", "5" }, { "0-2", "0 1 2" }, { "n1-n5", "1 2 5" },
        { "2-", "2 5 9" }, { "9-2", "" }, { "3", "" }, { "all", "0 1 2 5 9" },
        { "up", "0 2 9" }, { "allup", "0 2 9" }, { "alldown", "1" }, { "notup", "1 5" },
        { "allnotdown", "0 2 5 9" }, { "5,0,5", "5 0 5" }, { "error,0x9", "5 9" },
        { "011", "9" }, { "master", "-1" }, { "-1", "" }, { "boot", "" }
    };
    static const char *const bad[] = { "", "x", "5x", "1-x", "allx", ",", "1,,2", "--1", "n" };
    struct bproc_node_set_t all, out = BPROC_EMPTY_NODESET;

    set_make(&all);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        out.size = 0;
        ok(bproc_nodefilter(&out, &all, cases[i].spec) == 0 &&
               strcmp(numbers(&out), cases[i].want) == 0, "'%s' is '%s'", cases[i].spec,
           numbers(&out));
    }
    bproc_nodeset_free(&out);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ok(bproc_nodefilter(&out, &all, bad[i]) == -1 && errno == EINVAL && out.size == 0,
           "'%s' is none", bad[i]);
    ok(bproc_nodefilter(&out, &all, "0") == 0 && bproc_nodeset_append(&out, &out) == 0 &&
           bproc_nodeset_append(&out, &all) == 0, "sets are appended, to themselves as well");
    is_str(numbers(&out), "0 0 0 1 2 5 9", "at the end");
    ok(bproc_nodeset_grow(&out, 100) == 0 && out.alloc >= 100 && out.size == 7, "room for more");
    ok(bproc_nodeset_grow(&out, -1) == -1 && errno == EINVAL, "a negative size");
    bproc_nodeset_free(&out);
    bproc_nodeset_free(&all);
    ok(bproc_nodespec(&out, "0-1,alldown") == 0 && strcmp(numbers(&out), "0 1 2") == 0,
       "of the cluster: '%s'", numbers(&out));
    bproc_nodeset_free(&out);
}

static void notices(void)
{
    struct bproc_node_set_t set = BPROC_EMPTY_NODESET;
    struct pollfd fd = { .fd = bproc_notifier(), .events = POLLIN };

    bproc_nodesetstatus(1, "error");
    is_int(poll(&fd, 1, 10000), 1, "a change is told");
    is_int(bproc_nodelist_(&set, fd.fd), 3, "the list for it");
    is_str(set.node[1].status, "error", "has it");
    is_int(poll(&fd, 1, 0), 0, "and with that it is acknowledged");
    bproc_nodesetstatus(1, "up");
    is_int(poll(&fd, 1, 10000), 1, "the next one is told again");
    close(fd.fd);
    bproc_nodeset_free(&set);
}

static const char *attribute(int node, const char *name)
{
    static char value[65];
    int len = bproc_getnodeattr(node, name, value, sizeof(value) - 1);

    if (len < 0)
        return strerror(errno);
    value[len] = '\0';
    return value;
}

static void attributes(void)
{
    char value[65], name[80] = "bproc.";

    is_str(attribute(0, "bproc.state"), "up", "a node's state is an attribute");
    is_str(attribute(0, "state"), "up", "also without the prefix");
    is_str(attribute(2, "bproc.state"), "down", "of one that is down, too");
    ok(strncmp(attribute(0, "bproc.addr"), "10.", 3) == 0, "so is its address");
    ok(atoi(attribute(0, "bproc.cpus")) > 0, "it has processors");
    ok(atoll(attribute(0, "bproc.mem")) > 1 << 20, "and memory");
    is_str(attribute(2, "bproc.cpus"), strerror(ENODATA), "of one that is down nobody knows");
    is_str(attribute(BPROC_NODE_MASTER, "state"), "up", "the master has a state");
    ok(bproc_setnodeattr(0, "bproc.site", "row 7", 5) == 0, "root makes one");
    is_str(attribute(0, "bproc.site"), "row 7", "it is there");
    is_int(bproc_getnodeattr(0, "bproc.site", NULL, 0), 5, "its length can be asked for");
    ok(bproc_getnodeattr(0, "bproc.site", value, 4) == -1 && errno == ERANGE, "too little room");
    is_str(attribute(1, "bproc.site"), strerror(ENODATA), "it is that node's alone");
    ok(bproc_setnodeattr(0, "site", "", 0) == 0 && bproc_getnodeattr(0, "site", value, 64) == 0,
       "it may be empty");
    memset(value, 'v', sizeof(value));
    ok(bproc_setnodeattr(0, "site", value, 64) == 0, "or 64 bytes long");
    ok(bproc_setnodeattr(0, "site", value, 65) == -1 && errno == E2BIG, "not more");
    memset(name + 6, 'n', 57);
    ok(bproc_setnodeattr(0, name, "1", 1) == 0, "a name of 63 bytes");
    name[63] = 'n';
    ok(bproc_setnodeattr(0, name, "1", 1) == -1 && errno == ENAMETOOLONG, "not more");
    ok(bproc_setnodeattr(0, "", "1", 1) == -1 && errno == EINVAL, "no name");
    ok(bproc_setnodeattr(0, "x", NULL, 1) == -1 && errno == EFAULT, "no value");
    ok(bproc_setnodeattr(77, "x", "1", 1) == -1 && errno == EINVAL, "no such node");
    ok(bproc_setnodeattr(2, "x", "1", 1) == -1 && errno == EINVAL, "a node that is down");
    ok(bproc_setnodeattr(0, "addr", "1", 1) == -1 && errno == EPERM, "one that is not to be set");
    ok(bproc_setnodeattr(1, "state", "error", 5) == 0, "the state can be set that way");
    is_str(attribute(1, "state"), "error", "and is");
    bproc_nodesetstatus(1, "up");
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof(name), "bproc.many%d", i);
        if (bproc_setnodeattr(1, name, "1", 1) < 0)
            break;
    }
    is_int(errno, ENOSPC, "they have an end");
    is_str(name, "bproc.many29", "with the three it came with there are 32");
}

static void processes(void)
{
    int pid = bproc_rfork(0), status;

    if (pid == 0) {
        pause();
        _exit(0);
    }
    is_int(bproc_pidnode(pid), 0, "a process's node");
    is_int(bproc_pidnode(getpid()), -1, "on the master: -1");
    is_int(bproc_pidnode(-5), -1, "nobody: -1");
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
}

/* What a user may, here or on a node. */
static void as_user(void)
{
    struct bproc_node_info_t info = { .status = "up", .mode = 0010, .group = 65534 };

    if (setgid(65534) < 0 || setuid(65534) < 0)
        exit(2);
    is_int(_bproc_access(&info, BPROC_X_OK), 0, "a node of his group");
    info.group = 1;
    ok(_bproc_access(&info, BPROC_X_OK) == -1 && errno == EPERM, "one of another");
    info.mode = 0001;
    is_int(_bproc_access(&info, BPROC_X_OK), 0, "one for all");
    strcpy(info.status, "error");
    ok(_bproc_access(&info, BPROC_X_OK) == -1 && errno == EPERM, "one that is not up");
    is_str(attribute(1, "bproc.state"), "up", "he reads attributes");
    ok(bproc_setnodeattr(1, "mine", "1", 1) == -1, "he does not set any: %s", strerror(errno));
}

int main(int argc, char **argv)
{
    if (argc == 4) {
        puts(attribute(atoi(argv[2]), argv[3]));
        return 0;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 1) {
        states_are_words();
        records();
        specifications();
        notices();
        attributes();
        processes();
    }
    as_user();
    return done_testing();
}
