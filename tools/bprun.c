/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bprun: a command on the nodes that have least to do, all at once; as mpprun one process after
 * the other, as bpmap only where they would be. Makes the map, one task for each entry, and leaves
 * them to the loop of bpsh; the exit status is the highest of theirs.
 */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/bpsh_line.h"
#include "tools/bpsh_loop.h"
#include "tools/bpsh_plain.h"
#include "tools/bprun_map.h"
#include "tools/bprun_options.h"

#define NO_PROGRAM 2

static void command_choose(struct command *command, const struct options *options)
{
    const struct command_files files = { 0 };
    int error = command_make(command, options->args, &files);

    if (!error)
        return;
    if (error == -ENOENT)
        warnx("%s: command not found", options->args[0]);
    else
        warnx("%s: %s", options->args[0], strerror(-error));
    exit(NO_PROGRAM);
}

/* What every process finds in its environment besides what a task sets. */
static void environment_make(const struct nodeset *map)
{
    char *folded = nodeset_fold(map), count[24];

    snprintf(count, sizeof(count), "%zu", map->count);
    if (!folded || setenv("BPROC_NODELIST", folded, 1) < 0 || setenv("BPROC_NTASKS", count, 1) < 0)
        errx(1, "cannot set the environment: %s", strerror(ENOMEM));
    free(folded);
}

static size_t nodes_count(const struct nodeset *map)
{
    size_t count = 0;

    for (size_t i = 0; i < map->count; i++) {
        const struct nodeset before = { .nodes = map->nodes, .count = i };

        count += !nodeset_has(&before, map->nodes[i]);
    }
    return count;
}

static void plan_make(struct task_plan *plan, const struct options *options,
                      const struct nodeset *map)
{
    bool plain = map->count == 1 && !options->prefix;

    plan->count = nodes_count(map);
    plan->streams[0] = options->no_input ? STREAM_NULL : STREAM_PIPE;
    plan->streams[1] = plan->streams[2] = plain ? STREAM_OWN : STREAM_PIPE;
    plain_choose(plan);
    plan->style = (struct output_style) { .lines = options->prefix, .prefix = options->prefix,
                                          .longest = 4096 };
}

/* Could no process be created because the command is none that can be executed? */
static bool program_missing(const struct run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        int error = run->tasks[i].error;

        if (error != ENOENT && error != EACCES && error != ENOEXEC && error != ENOTDIR)
            return false;
    }
    return true;
}

static int map_run(const struct nodeset *map, struct task_plan *plan,
                   const struct options *options)
{
    struct run run = { .plan = plan, .count = map->count, .fanout = options->fanout };
    struct input input;
    int error = 0, result;

    run.child_fd = task_prepare(plan);
    if (run.child_fd < 0)
        errx(1, "cannot watch the children: %s", strerror(-run.child_fd));
    plan_make(plan, options, map);
    run.tasks = calloc(run.count, sizeof(*run.tasks));
    if (!run.tasks)
        error = -ENOMEM;
    else if (plan->streams[0] == STREAM_PIPE) {
        error = input_init(&input, STDIN_FILENO, run.fanout > 0);
        run.input = &input;
    }
    for (size_t i = 0; i < run.count && !error; i++)
        task_init(&run.tasks[i], map->nodes[i], (int)i);
    if (!error)
        error = loop_run(&run);
    if (error)
        errx(1, "cannot run %zu processes: %s", run.count, strerror(-error));
    plain_leave(&run);
    result = loop_result(&run);
    if (program_missing(&run))
        result = NO_PROGRAM;
    if (run.input)
        input_free(&input);
    for (size_t i = 0; i < run.count; i++)
        task_free(&run.tasks[i]);
    free(run.tasks);
    close(run.child_fd);
    return result;
}

int main(int argc, char **argv)
{
    static struct sink sinks[2] = { { .fd = STDOUT_FILENO }, { .fd = STDERR_FILENO } };
    struct line line = LINE_NONE;
    struct task_plan plan = { .line = &line, .sinks = { &sinks[0], &sinks[1] } };
    struct command command = { 0 };
    struct nodeset map = { 0 };
    struct options options;
    int result = 0;

    options_read(&options, argc, argv);
    if (!options.map_only)
        command_choose(&command, &options);
    map_make(&map, &options);
    plan.command = &command;
    if (options.map_only) {
        map_print(&map);
    } else {
        environment_make(&map);
        result = map_run(&map, &plan, &options);
    }
    nodeset_free(&map);
    command_free(&command);
    return result;
}
