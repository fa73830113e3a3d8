/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpsh: a command on nodes; by another name, the remote shell of bprsh.h. Reads its arguments,
 * starts one task a node, all at once, and leaves them to the loop; the exit status is the highest
 * of theirs.
 */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "tools/bprsh.h"
#include "tools/bpsh_loop.h"
#include "tools/bpsh_options.h"
#include "tools/nodespec.h"
#include "tools/tool.h"

static bool stdin_is_null(void)
{
    struct stat st;

    return fstat(STDIN_FILENO, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

static void plan_make(struct task_plan *plan, const struct options *options, size_t count)
{
    bool plain = count == 1 && !options->lines && !options->sequential;
    enum task_stream out = options->no_io ? STREAM_NULL : plain ? STREAM_OWN : STREAM_PIPE;
    bool input = !options->no_io && !options->no_input && !options->files.in && !stdin_is_null();

    plan->streams[0] = input ? STREAM_PIPE : STREAM_NULL;
    plan->streams[1] = options->files.out ? STREAM_NULL : out;
    plan->streams[2] = options->files.err ? STREAM_NULL : out;
    plan->style = (struct output_style) { .lines = options->lines, .prefix = options->prefix,
                                          .longest = options->buffer };
}

static int run_nodes(const struct nodeset *nodes, struct task_plan *plan,
                     const struct options *options)
{
    struct run run = { .plan = plan, .count = nodes->count, .sequential = options->sequential,
                       .divider = options->divider };
    struct input input;
    int result;

    run.child_fd = task_prepare(plan);
    if (run.child_fd < 0)
        errx(1, "cannot watch the children: %s", strerror(-run.child_fd));
    plan_make(plan, options, nodes->count);
    run.tasks = calloc(nodes->count + 1, sizeof(*run.tasks));
    if (!run.tasks || (plan->streams[0] == STREAM_PIPE && input_init(&input, run.sequential) < 0))
        errx(1, "cannot run on %zu nodes: %s", nodes->count, strerror(ENOMEM));
    if (plan->streams[0] == STREAM_PIPE)
        run.input = &input;
    plan->count = run.count;
    for (size_t i = 0; i < run.count; i++)
        task_init(&run.tasks[i], nodes->nodes[i], (int)i);
    result = loop_run(&run);
    if (result < 0)
        errx(1, "cannot wait for the nodes: %s", strerror(-result));
    result = loop_result(&run);
    if (run.input)
        input_free(&input);
    for (size_t i = 0; i < run.count; i++)
        task_free(&run.tasks[i]);
    free(run.tasks);
    close(run.child_fd);
    return result;
}

static void nodes_choose(struct nodeset *nodes, const char *spec)
{
    struct tool_nodes table;
    char text[512];

    tool_nodes_load(&table);
    if (nodespec_add(nodes, spec, &table, text, sizeof(text)) < 0)
        errx(1, "%s", text);
    tool_nodes_free(&table);
}

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void command_choose(struct command *command, const struct options *options)
{
    int error = command_make(command, options->args, &options->files);

    if (error == -ENOENT)
        errx(1, "%s: command not found", options->args[0]);
    if (error)
        errx(1, "%s: %s", options->args[0], strerror(-error));
}

int main(int argc, char **argv)
{
    static struct sink sinks[2] = { { .fd = STDOUT_FILENO }, { .fd = STDERR_FILENO } };
    struct task_plan plan = { .sinks = { &sinks[0], &sinks[1] } };
    struct nodeset nodes = { 0 };
    struct options options;
    struct command command;
    double start;
    int result;

    if (bprsh_called(program_invocation_short_name))
        return bprsh_main(argc, argv);
    options_read(&options, argc, argv);
    command_choose(&command, &options);
    nodes_choose(&nodes, options.spec);
    plan.command = &command;
    start = seconds_now();
    result = run_nodes(&nodes, &plan, &options);
    if (options.time)
        fprintf(stderr, "%.6f\n", seconds_now() - start);
    nodeset_free(&nodes);
    command_free(&command);
    return result;
}
