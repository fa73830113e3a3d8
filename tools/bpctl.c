/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpctl: administration of nodes. Options act in the order they stand in: -S and -M choose nodes,
 * the others change those chosen last. Every node is tried; what fails is told as "NODE: reason"
 * and makes the exit status 1. `bpctl ca` and `bpctl token` are in bpctl_cluster.c.
 */
#include "config.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bpctl_act.h"
#include "tools/bpctl_cluster.h"
#include "tools/bpctl_config.h"
#include "tools/nodespec.h"
#include "tools/tool.h"

enum { OPTION_NO_WAIT = 256, OPTION_RECONNECT, OPTION_PURGE, OPTION_PURGE_FAIL };

struct control {
    struct tool_nodes table;
    bool loaded;
    struct nodeset chosen;
    bool any_chosen;
    bool acted;
    bool no_wait;
    int result;
};

static const char usage_text[] =
    "usage: bpctl -S NODES|-M ACTION...\n"
    "       bpctl ca init [--state DIR]\n"
    "       bpctl token create [--node N] [--ttl TIME] [--host HOST]\n"
    "       bpctl config check [FILE]\n"
    "       bpctl config show [--json] [FILE]\n"
    "Options act in the order given.\n"
    "  -S, --slave NODES    act on these nodes (3, 0-5, allup, 1,4,7-)\n"
    "  -M, --master         act on the master\n"
    "  -s, --state STATE    set the state\n"
    "  -m, --mode MODE      set the permission bits, octal\n"
    "  -u, --user USER      set the owner, a name or number\n"
    "  -g, --group GROUP    set the group, a name or number\n"
    "  -R, --reboot         reboot the machine and wait until it has gone\n"
    "  -H, --halt           halt it\n"
    "  -P, --pwroff         switch it off, or halt it where that fails\n"
    "  --no-wait            tell the machines only (for -R, -H, -P behind it)\n"
    "  --reconnect MASTER[:PORT[,LOCAL[:PORT]]]\n"
    "                       make the connection to the master anew, at this address\n"
    "  -r, --chroot DIR     give processes that come from now on this root\n"
    "  --cache-purge        empty the file cache\n"
    "  --cache-purge-fail   accepted, without effect\n"
    "  -f                   accepted, without effect\n"
    "  -h, --help           print this text\n"
    "  -V, -v, --version    print the release\n"
    "ca init makes the cluster's certificate authority; token create prints the\n"
    "command with which a machine joins as a node. config check says what is wrong in\n"
    "a configuration file, config show prints what the daemons make of it.\n";

static const struct option long_options[] = {
    { "slave", required_argument, NULL, 'S' }, { "master", no_argument, NULL, 'M' },
    { "state", required_argument, NULL, 's' }, { "mode", required_argument, NULL, 'm' },
    { "user", required_argument, NULL, 'u' }, { "group", required_argument, NULL, 'g' },
    { "reboot", no_argument, NULL, 'R' }, { "halt", no_argument, NULL, 'H' },
    { "pwroff", no_argument, NULL, 'P' }, { "no-wait", no_argument, NULL, OPTION_NO_WAIT },
    { "chroot", required_argument, NULL, 'r' },
    { "cache-purge", no_argument, NULL, OPTION_PURGE },
    { "cache-purge-fail", no_argument, NULL, OPTION_PURGE_FAIL },
    { "reconnect", required_argument, NULL, OPTION_RECONNECT },
    { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' }, { 0 }
};

/* Why the master cannot be asked for that. */
static const char no_state[] = "cannot set the state of the master: it is always up";
static const char no_mode[] = "cannot set the mode of the master: anybody may use it";
static const char no_owner[] = "cannot set the owner of the master: anybody may use it";
static const char no_group[] = "cannot set the group of the master: anybody may use it";
static const char no_root[] = "cannot change the root of the master: only nodes have another";
static const char no_cache[] = "cannot empty the cache of the master: only those of nodes are";
static const char no_master[] = "cannot reconnect the master: it is what nodes connect to";

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

static void nodes_act(struct control *control, const struct act *act)
{
    if (!control->any_chosen)
        errx(1, "no nodes chosen; -S or -M must stand before what is to be done");
    if (act_on(&control->chosen, &control->table, act) > 0)
        control->result = 1;
    control->acted = true;
}

static int state_read(const char *name)
{
    int state = nodelang_state(name);

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

static int state_set(int node, const void *arg)
{
    return bproc_setnodestatus(node, *(const int *)arg);
}

static int mode_set(int node, const void *arg)
{
    return bproc_chmod(node, *(const int *)arg);
}

static int user_set(int node, const void *arg)
{
    return bproc_chown(node, *(const int *)arg);
}

static int group_set(int node, const void *arg)
{
    return bproc_chgrp(node, *(const int *)arg);
}

static void value_set(struct control *control, int (*call)(int, const void *), int value,
                      const char *of_master)
{
    nodes_act(control, &(struct act){ call, &value, false, of_master });
}

struct power {
    const char *of_master;
    int (*waits)(int node);
    int (*tells)(int node);
};

static const struct power reboot = { "cannot reboot the master: only nodes are rebooted",
                                     bproc_nodereboot, bproc_nodereboot_async };
static const struct power halt = { "cannot halt the master: only nodes are halted",
                                   bproc_nodehalt, bproc_nodehalt_async };
static const struct power pwroff = { "cannot switch off the master: only nodes are switched off",
                                     bproc_nodepwroff, bproc_nodepwroff_async };

static int power_wait(int node, const void *arg)
{
    return ((const struct power *)arg)->waits(node);
}

static int power_tell(int node, const void *arg)
{
    return ((const struct power *)arg)->tells(node);
}

static void power_do(struct control *control, const struct power *power)
{
    nodes_act(control, &(struct act){ control->no_wait ? power_tell : power_wait, power, true,
                                      power->of_master });
}

struct addresses {
    struct sockaddr_in master, own;
};

/* "ADDRESS" or "ADDRESS:PORT". */
static struct sockaddr_in address_read(char *text)
{
    struct sockaddr_in addr = { .sin_family = AF_INET };
    char *colon = strchr(text, ':');
    int port = colon ? number_read(colon + 1, 10) : 0;

    if (colon)
        *colon = '\0';
    if (inet_pton(AF_INET, text, &addr.sin_addr) != 1 || port < 0 || port > 65535)
        errx(1, "'%s' is no address; 10.0.0.1, 10.0.0.1:2223 are", text);
    addr.sin_port = htons((uint16_t)port);
    return addr;
}

static int reconnect(int node, const void *arg)
{
    struct addresses addresses = *(const struct addresses *)arg;

    return bproc_nodereconnect(node, (struct sockaddr *)&addresses.master,
                               sizeof(addresses.master), (struct sockaddr *)&addresses.own,
                               sizeof(addresses.own));
}

/* "MASTER[:PORT[,LOCAL[:PORT]]]" */
static void reconnect_do(struct control *control, const char *text)
{
    struct addresses addresses = { .own = { .sin_family = AF_INET } };
    char words[64], *comma;

    if (snprintf(words, sizeof(words), "%s", text) >= (int)sizeof(words))
        errx(1, "'%s' is no address; 10.0.0.1, 10.0.0.1:2223 are", text);
    comma = strchr(words, ',');
    if (comma)
        *comma++ = '\0';
    addresses.master = address_read(words);
    if (comma)
        addresses.own = address_read(comma);
    nodes_act(control, &(struct act){ reconnect, &addresses, true, no_master });
}

static int root_change_call(int node, const void *arg)
{
    return bproc_slave_chroot(node, arg);
}

static void root_change(struct control *control, const char *dir)
{
    nodes_act(control, &(struct act){ root_change_call, dir, true, no_root });
}

static int cache_purge_call(int node, const void *arg)
{
    (void)arg;
    return bproc_nodecachepurgeok(node);
}

static void cache_purge(struct control *control)
{
    nodes_act(control, &(struct act){ cache_purge_call, NULL, true, no_cache });
}

static int cache_purge_fail_call(int node, const void *arg)
{
    (void)arg;
    return bproc_nodecachepurgefail(node);
}

static void cache_purge_fail(struct control *control)
{
    nodes_act(control, &(struct act){ cache_purge_fail_call, NULL, false, NULL });
}

static void option_do(struct control *control, int option)
{
    switch (option) {
    case 'S': nodes_choose(control, optarg); break;
    case 'M': nodes_choose(control, "master"); break;
    case 's': value_set(control, state_set, state_read(optarg), no_state); break;
    case 'm': value_set(control, mode_set, mode_read(optarg), no_mode); break;
    case 'u': value_set(control, user_set, user_read(optarg), no_owner); break;
    case 'g': value_set(control, group_set, group_read(optarg), no_group); break;
    case 'R': power_do(control, &reboot); break;
    case 'H': power_do(control, &halt); break;
    case 'P': power_do(control, &pwroff); break;
    case 'r': root_change(control, optarg); break;
    case OPTION_PURGE: cache_purge(control); break;
    case OPTION_PURGE_FAIL: cache_purge_fail(control); break;
    case OPTION_NO_WAIT: control->no_wait = true; break;
    case OPTION_RECONNECT: reconnect_do(control, optarg); break;
    case 'f': break;
    case 'h': tool_usage(usage_text, 0, 1);
    case 'v':
    case 'V': tool_version(1);
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
    if (argc > 1 && strcmp(argv[1], "config") == 0)
        return config_run(argc - 1, argv + 1);
    while ((option = getopt_long(argc, argv, "+S:Ms:m:u:g:r:RHPfhvV", long_options, NULL)) != -1)
        option_do(&control, option);
    if (optind < argc)
        errx(1, "'%s' is no command of bpctl; bpctl --help tells which are", argv[optind]);
    if (!control.acted)
        errx(1, "nothing to do; bpctl --help tells more");
    nodeset_free(&control.chosen);
    tool_nodes_free(&control.table);
    return control.result;
}
