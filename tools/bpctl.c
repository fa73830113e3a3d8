/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpctl: administration of nodes. Options act in the order they stand in: -S and -M choose nodes,
 * the others change those chosen last. Every node is tried; what fails is told as "NODE: reason"
 * and makes the exit status 1. `bpctl ca` and `bpctl token` are in bpctl_cluster.c.
 */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bpctl_cluster.h"
#include "tools/nodespec.h"
#include "tools/tool.h"

struct control {
    struct tool_nodes table;
    bool loaded;
    struct nodeset chosen;
    bool any_chosen;
    bool acted;
    int result;
};

static const char usage_text[] =
    "usage: bpctl -S NODES|-M ACTION...\n"
    "       bpctl ca init [--state DIR]\n"
    "       bpctl token create [--node N] [--ttl TIME] [--host HOST]\n"
    "Options act in the order given.\n"
    "  -S, --slave NODES    act on these nodes (3, 0-5, allup, 1,4,7-)\n"
    "  -M, --master         act on the master\n"
    "  -s, --state STATE    set the state\n"
    "  -m, --mode MODE      set the permission bits, octal\n"
    "  -u, --user USER      set the owner, a name or number\n"
    "  -g, --group GROUP    set the group, a name or number\n"
    "  -h, --help           print this text\n"
    "  -V, -v, --version    print the release\n"
    "ca init makes the cluster's certificate authority; token create prints the\n"
    "command with which a machine joins as a node.\n";

static const struct option long_options[] = {
    { "slave", required_argument, NULL, 'S' }, { "master", no_argument, NULL, 'M' },
    { "state", required_argument, NULL, 's' }, { "mode", required_argument, NULL, 'm' },
    { "user", required_argument, NULL, 'u' }, { "group", required_argument, NULL, 'g' },
    { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' }, { 0 }
};

static void nodes_choose(struct control *control, const char *spec)
{
    char text[512];

    if (!control->loaded)
        tool_nodes_load(&control->table);
    control->loaded = true;
    nodeset_free(&control->chosen);
    if (nodespec_add(&control->chosen, spec, &control->table, text, sizeof(text)) < 0)
        errx(1, "%s", text);
    control->any_chosen = true;
}

static void node_act(struct control *control, int node, int (*call)(int, int), int value)
{
    int error = 0;

    /* The interface says EINVAL for both a wrong node and a wrong value. */
    if (node != BPROC_NODE_MASTER && !tool_nodes_find(&control->table, node))
        error = BE_INVALIDNODE;
    else if (call(node, value) < 0)
        error = errno;
    if (error == EINVAL && node != BPROC_NODE_MASTER && bproc_nodestatus(node) == bproc_node_down)
        error = BE_NODEDOWN;
    if (!error)
        return;
    fprintf(stderr, "%d: %s\n", node, tool_reason(error));
    control->result = 1;
}

static void nodes_act(struct control *control, int (*call)(int, int), int value)
{
    if (!control->any_chosen)
        errx(1, "no nodes chosen; -S or -M must stand before what is to be done");
    for (size_t i = 0; i < control->chosen.count; i++)
        node_act(control, control->chosen.nodes[i], call, value);
    control->acted = true;
}

static int state_read(const char *name)
{
    int state = nodespec_state(name);

    if (state < 0 || state == bproc_node_boot)
        errx(1, "'%s' is no state to set; these are: up down unavailable error reboot halt pwroff",
             name);
    return state;
}

static int number_read(const char *text, int base)
{
    char *end;
    long value;

    errno = 0;
    value = strtol(text, &end, base);
    if (*text < '0' || *text > '9' || *end || errno || value > INT32_MAX)
        return -1;
    return (int)value;
}

static int mode_read(const char *text)
{
    int mode = number_read(text, 8);

    if (mode < 0 || (mode & ~0111))
        errx(1, "'%s' is no mode; octal digits 0 and 1, as 111, are", text);
    return mode;
}

static int user_read(const char *text)
{
    const struct passwd *user = getpwnam(text);
    int uid = user ? (int)user->pw_uid : number_read(text, 10);

    if (uid < 0)
        errx(1, "'%s' is no user", text);
    return uid;
}

static int group_read(const char *text)
{
    const struct group *group = getgrnam(text);
    int gid = group ? (int)group->gr_gid : number_read(text, 10);

    if (gid < 0)
        errx(1, "'%s' is no group", text);
    return gid;
}

static void option_do(struct control *control, int option)
{
    switch (option) {
    case 'S': nodes_choose(control, optarg); break;
    case 'M': nodes_choose(control, "master"); break;
    case 's': nodes_act(control, bproc_setnodestatus, state_read(optarg)); break;
    case 'm': nodes_act(control, bproc_chmod, mode_read(optarg)); break;
    case 'u': nodes_act(control, bproc_chown, user_read(optarg)); break;
    case 'g': nodes_act(control, bproc_chgrp, group_read(optarg)); break;
    case 'h': tool_usage(usage_text, 0);
    case 'v':
    case 'V': tool_version();
    default: exit(1);
    }
}

int main(int argc, char **argv)
{
    struct control control = { 0 };
    int option;

    if (argc > 1 && strcmp(argv[1], "ca") == 0)
        return cluster_ca(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "token") == 0)
        return cluster_token(argc - 1, argv + 1);
    while ((option = getopt_long(argc, argv, "+S:Ms:m:u:g:hvV", long_options, NULL)) != -1)
        option_do(&control, option);
    if (optind < argc)
        errx(1, "'%s' is no command of bpctl; bpctl --help tells which are", argv[optind]);
    if (!control.acted)
        errx(1, "nothing to do; bpctl --help tells more");
    nodeset_free(&control.chosen);
    tool_nodes_free(&control.table);
    return control.result;
}
