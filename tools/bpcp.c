/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpcp: copies files between machines of the cluster. Reads where they are and where they shall go,
 * and leaves what is between to transfers: one for each machine that has files, those of one
 * argument all at once, those of different ones in their order, as names may be the same. The exit
 * status is the number of errors.
 */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/bpcp_end.h"
#include "tools/bpcp_loop.h"
#include "tools/bpcp_options.h"
#include "tools/bpcp_place.h"
#include "tools/bpcp_report.h"
#include "tools/bpcp_transfer.h"
#include "tools/bpsh_line.h"
#include "tools/tool.h"

struct copy {
    struct transfer_plan plan;
    struct line line;
    const char *suffix;
    struct place *sources;
    size_t count;
    struct bar bar;
    int signal_fd;
};

/* Without nodes it is what cp does, and needs no daemon. */
static bool all_local(const struct options *options)
{
    if (options->delegated)
        return false;
    for (size_t i = 0; i < options->count; i++)
        if (strchr(options->args[i], ':'))
            return false;
    return !options->spec;
}

/* Does not return. */
static void cp_exec(const struct options *options, char **files)
{
    const char **argv = calloc(options->count + 5, sizeof(*argv));
    size_t n = 0;

    if (!argv)
        errx(1, "cannot execute cp: %s", strerror(ENOMEM));
    argv[n++] = "cp";
    argv[n++] = "-L";
    if (options->recurse)
        argv[n++] = "-r";
    if (options->preserve)
        argv[n++] = "-p";
    argv[n++] = "--";
    for (size_t i = 0; i < options->count; i++)
        argv[n + i] = files[i];
    execvp("cp", (char **)(uintptr_t)argv);
    err(1, "cannot execute cp");
}

static const char *directory_find(void)
{
    static char path[PATH_MAX];

    if (!getcwd(path, sizeof(path)))
        err(1, "cannot tell the working directory");
    return path;
}

static bool same_nodes(const struct place *a, const struct place *b)
{
    return a->spec && b->spec ? strcmp(a->spec, b->spec) == 0 : a->spec == b->spec;
}

/* How many sources from `first` on are on the same nodes. */
static size_t round_length(const struct copy *copy, size_t first)
{
    size_t next = first + 1;

    while (next < copy->count && same_nodes(&copy->sources[first], &copy->sources[next]))
        next++;
    return next - first;
}

static void suffix_make(char *suffix, size_t len, const struct copy *copy,
                        const struct place *place, int node)
{
    if (!place->many)
        snprintf(suffix, len, "%s", copy->suffix);
    else if (node == BPROC_NODE_MASTER)
        snprintf(suffix, len, ".master");
    else
        snprintf(suffix, len, ".n%d", node);
}

/* From a node to others the data go directly. What this machine gets as well comes by here. */
static bool is_elsewhere(const struct copy *copy, int node)
{
    return node != copy->plan.self && !nodeset_has(copy->plan.nodes, copy->plan.self);
}

static int copy_start(struct copy *copy, struct transfer *transfer, const struct place *place,
                      int node, char *const *paths, size_t count)
{
    char suffix[32];

    suffix_make(suffix, sizeof(suffix), copy, place, node);
    if (!is_elsewhere(copy, node))
        return transfer_start(transfer, &copy->plan, node, paths, count, suffix);
    copy->bar.wanted = false;
    return transfer_delegate(transfer, &copy->plan, node, paths, count, suffix);
}

/* Copies sources[first] to sources[first + length - 1]. Number of errors. */
static unsigned round_run(struct copy *copy, size_t first, size_t length)
{
    const struct place *place = &copy->sources[first];
    size_t count = place->nodes.count;
    struct transfer *transfers = calloc(count, sizeof(*transfers));
    char **paths = calloc(length, sizeof(*paths));
    unsigned errors = 0;
    int error = transfers && paths ? 0 : -ENOMEM;

    for (size_t i = 0; i < length && !error; i++)
        paths[i] = copy->sources[first + i].path;
    for (size_t i = 0; i < count && !error; i++)
        error = copy_start(copy, &transfers[i], place, place->nodes.nodes[i], paths, length);
    if (!error)
        error = transfers_run(transfers, count, &copy->plan.tasks, copy->signal_fd, &copy->bar);
    if (error)
        errx(1, "cannot go on with the copy: %s", strerror(-error));
    for (size_t i = 0; i < count; i++) {
        errors += transfer_errors(&transfers[i], &copy->plan);
        transfer_free(&transfers[i]);
    }
    free(transfers);
    free(paths);
    return errors;
}

static unsigned copy_run(struct copy *copy, const struct options *options)
{
    unsigned errors = 0;
    size_t length;

    copy->signal_fd = task_prepare(&copy->plan.tasks);
    if (copy->signal_fd < 0)
        errx(1, "cannot watch for signals: %s", strerror(-copy->signal_fd));
    bar_start(&copy->bar, options->progress);
    for (size_t i = 0; i < copy->count; i += length) {
        length = round_length(copy, i);
        errors += round_run(copy, i, length);
        bar_next(&copy->bar);
    }
    bar_end(&copy->bar);
    close(copy->signal_fd);
    return errors;
}

/* Paths of places that all are on this machine. */
static void local_exec(const struct options *options, const struct copy *copy,
                       const struct place *target, const struct tool_nodes *table)
{
    char **files = calloc(options->count, sizeof(*files));

    for (size_t i = 0; i < copy->count && files; i++) {
        if (!place_is_local(&copy->sources[i], table)) {
            free(files);
            return;
        }
        files[i] = copy->sources[i].path;
    }
    if (!files || !place_is_local(target, table)) {
        free(files);
        return;
    }
    files[copy->count] = target->path;
    cp_exec(options, files);
}

/* The shell that scp and rcp start on the other side would do so. */
static void home_strip(struct place *place, int self)
{
    char *path = place->path;

    if (path[0] != '~' || (path[1] && path[1] != '/') || nodeset_has(&place->nodes, self))
        return;
    path += 1 + strspn(path + 1, "/");
    memmove(place->path, *path ? path : ".", *path ? strlen(path) + 1 : 2);
}

static void homes_strip(struct copy *copy, struct place *target, int self)
{
    for (size_t i = 0; i < copy->count; i++)
        home_strip(&copy->sources[i], self);
    home_strip(target, self);
}

static void plan_make(struct copy *copy, const struct options *options, struct place *target)
{
    const char *dir = options->dir ? options->dir : directory_find();

    copy->plan = (struct transfer_plan) {
        .tasks = { .line = &copy->line }, .self = copy->plan.self,
        .asker = options->delegated ? options->asker : copy->plan.self,
        .recurse = options->recurse,
        .preserve = options->preserve, .total = options->progress, .target = target->path,
        .nodes = &target->nodes, .own_dir = dir, .node_dir = options->home ? NULL : dir,
        .directory = options->directory || copy->count > 1 || copy->sources[0].many
    };
}

int main(int argc, char **argv)
{
    struct copy copy = { .line = LINE_NONE };
    struct tool_nodes table;
    struct options options;
    struct place target;
    unsigned errors;

    if (argc > 0 && strcmp(argv[0], END_NAME) == 0)
        return end_main(argc, argv);
    options_read(&options, argc, argv);
    if (all_local(&options))
        cp_exec(&options, options.args);
    tool_nodes_load(&table);
    copy.count = options.count - 1;
    copy.sources = calloc(copy.count, sizeof(*copy.sources));
    if (!copy.sources)
        errx(1, "cannot copy %zu files: %s", copy.count, strerror(ENOMEM));
    for (size_t i = 0; i < copy.count; i++)
        place_read(&copy.sources[i], options.args[i], NULL, NULL, &table);
    place_read(&target, options.args[copy.count], options.spec, options.exclude, &table);
    if (options.home && !options.delegated)
        homes_strip(&copy, &target, table.self);
    if (!options.delegated)
        local_exec(&options, &copy, &target, &table);
    copy.plan.self = table.self;
    copy.suffix = options.suffix;
    plan_make(&copy, &options, &target);
    errors = copy_run(&copy, &options);
    for (size_t i = 0; i < copy.count; i++)
        place_free(&copy.sources[i]);
    free(copy.sources);
    place_free(&target);
    tool_nodes_free(&table);
    return report_status(errors);
}
