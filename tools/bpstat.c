/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpstat: nodes and remote processes, as the daemon knows them now. Reads its arguments, chooses
 * nodes and hands them to one of the forms.
 */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/bpstat_json.h"
#include "tools/bpstat_metrics.h"
#include "tools/bpstat_names.h"
#include "tools/bpstat_options.h"
#include "tools/bpstat_proc.h"
#include "tools/nodegroup.h"
#include "tools/nodespec.h"
#include "tools/host.h"
#include "tools/tool.h"

#define PROCESSES_MS 1000

/* What was chosen, in the order it was named, and the table it was chosen from. */
struct selection {
    struct tool_nodes table;
    struct nodeset set;
    struct bproc_node_info_t *infos;
};

/* ClusterShell knows groups without the @. */
static int group_add(struct nodeset *set, const char *name, const struct tool_nodes *table)
{
    char text[512];
    const char *spec;

    return nodegroup_find(name, &spec) < 0 ? -ENOENT :
           nodespec_add(set, spec, table, text, sizeof(text));
}

static void nodes_choose(struct selection *selection, const char *spec, bool groups)
{
    struct nodeset *set = &selection->set;
    size_t before = set->count;
    char text[512];

    if (nodespec_add(set, spec, &selection->table, text, sizeof(text)) < 0) {
        set->count = before;
        if (!groups || group_add(set, spec, &selection->table) < 0)
            errx(1, "%s", text);
    }
    for (size_t i = before; i < set->count; i++)
        if (set->nodes[i] != BPROC_NODE_MASTER &&
            !tool_nodes_find(&selection->table, set->nodes[i]))
            errx(1, "%d: %s", set->nodes[i], bproc_strerror(BE_INVALIDNODE));
}

static void info_load(struct bproc_node_info_t *info, int node, const struct tool_nodes *table)
{
    const struct bproc_node_info_t *found = tool_nodes_find(table, node);

    if (found)
        *info = *found;
    else if (bproc_nodeinfo(node, info) < 0)
        errx(1, "%d: %s", node, tool_reason(errno));
}

static int window_width(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

/* What no nodes at all stand for. */
static const char *spec_default(const struct options *options)
{
    switch (options->output) {
    case OUTPUT_HOSTFILE: return "up";
    case OUTPUT_HOSTS: return "master,all";
    case OUTPUT_GROUPS: return NULL;
    default: return "all";
    }
}

static void selection_make(struct selection *selection, const struct options *options)
{
    bool nodeset = options->output == OUTPUT_NODESET;

    *selection = (struct selection) { 0 };
    tool_nodes_load(&selection->table);
    if (nodeset && options->form == FORM_ADDRESS)
        nodes_choose(selection, "all", false);
    for (char **spec = options->specs; *spec; spec++)
        nodes_choose(selection, *spec, nodeset);
    if (!*options->specs && selection->set.count == 0 && spec_default(options))
        nodes_choose(selection, spec_default(options), false);
    selection->infos = calloc(selection->set.count + 1, sizeof(*selection->infos));
    if (!selection->infos)
        errx(1, "cannot show %zu nodes: %s", selection->set.count, strerror(ENOMEM));
}

static void selection_free(struct selection *selection)
{
    free(selection->infos);
    nodeset_free(&selection->set);
    tool_nodes_free(&selection->table);
}

static void table_show(struct selection *selection, const struct options *options)
{
    enum table_form form = options->output == OUTPUT_JSON ? FORM_LONG : options->form;
    size_t count = selection->set.count;

    for (size_t i = 0; i < count; i++)
        info_load(&selection->infos[i], selection->set.nodes[i], &selection->table);
    table_sort(selection->infos, count, form, options->order, options->reverse);
    if (options->output == OUTPUT_JSON)
        nodes_json(selection->infos, count);
    else
        table_print(selection->infos, count, form, window_width());
}

static int nodes_show(const struct options *options)
{
    struct selection selection;
    int error = 0;

    selection_make(&selection, options);
    switch (options->output) {
    case OUTPUT_PROMETHEUS:
        error = metrics_print(&selection.table);
        break;
    case OUTPUT_HOSTFILE:
        error = names_hostfile(&selection.set, options->hydra);
        break;
    case OUTPUT_HOSTS:
        error = names_hosts(&selection.set, &selection.table);
        break;
    case OUTPUT_NODESET:
        error = names_nodeset(&selection.set);
        break;
    case OUTPUT_GROUPS:
        error = names_groups(&selection.set, &selection.table);
        break;
    default:
        table_show(&selection, options);
    }
    selection_free(&selection);
    return error;
}

static int processes_show(const struct options *options)
{
    struct selection selection = { 0 };
    int error = 0;

    if (*options->specs)
        selection_make(&selection, options);
    if (options->output == OUTPUT_JSON)
        error = procs_json(*options->specs ? &selection.set : NULL);
    else if (!*options->specs || selection.set.count > 0)
        error = proc_print(selection.set.nodes, selection.set.count);
    selection_free(&selection);
    return error;
}

static void show(const struct options *options)
{
    int error = options->processes ? processes_show(options) : nodes_show(options);

    if (error)
        errx(1, "cannot list the %s: %s", options->processes ? "processes" : "nodes",
             tool_reason(-error));
    tool_flush(1);
}

/* Waits for a change; for processes, which nobody tells about, a second at most. False: the end. */
static bool change_wait(int fd, const struct options *options)
{
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    char bytes[256];

    if (options->processes && poll(&wait, 1, PROCESSES_MS) == 0)
        return true;
    return read(fd, bytes, sizeof(bytes)) > 0;
}

/* Shows them again whenever something has changed; ends with the daemon. */
static void watch(const struct options *options)
{
    int fd = bproc_notifier();

    if (fd < 0)
        errx(1, "cannot watch the nodes: %s", tool_reason(errno));
    do {
        if (isatty(STDOUT_FILENO))
            fputs("\033[H\033[J", stdout);
        show(options);
    } while (change_wait(fd, options));
    errx(1, "cannot watch the nodes: the daemon went away");
}

/* For a display that is left alone: only the window's end ends it. */
static void keys_lock(void)
{
    static const int signals[] = { SIGINT, SIGQUIT, SIGTSTP };

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        signal(signals[i], SIG_IGN);
}

static void host_show(const char *host)
{
    int node = host_find(host);

    if (node == BPROC_NODE_NONE)
        errx(1, "cannot find node %s: %s", host,
             errno ? tool_reason(errno) : "no node has that name or address");
    printf("%d\n", node);
}

static void ps_filter(void)
{
    int error = proc_filter();

    if (error == -EINVAL)
        errx(1, "cannot find a column PID in the first line of stdin");
    if (error)
        errx(1, "cannot list the processes: %s", tool_reason(-error));
}

int main(int argc, char **argv)
{
    struct options options;

    options_read(&options, argc, argv);
    if (options.lock)
        keys_lock();
    if (options.output == OUTPUT_NODE_OF)
        host_show(options.host);
    else if (options.output == OUTPUT_FILTER)
        ps_filter();
    else if (options.update)
        watch(&options);
    else
        show(&options);
    tool_flush(1);
    return 0;
}
