/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpsh: a command on nodes. Reads its arguments, makes one task a node and leaves them to the loop;
 * the exit status is made of theirs.
 */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tools/bpsh_collect.h"
#include "tools/bpsh_deadline.h"
#include "tools/bpsh_diff.h"
#include "tools/bpsh_ender.h"
#include "tools/bpsh_line.h"
#include "tools/bpsh_loop.h"
#include "tools/bpsh_options.h"
#include "tools/bpsh_plain.h"
#include "tools/bpsh_progress.h"
#include "tools/bpsh_report.h"
#include "tools/nodespec.h"
#include "tools/session.h"
#include "tools/tool.h"

/* A single task without further wishes has bpsh's own stdout and stderr. */
static bool is_plain(const struct options *options, size_t count)
{
    return count == 1 && !options->lines && !options->sequential && !options->collect &&
           !options->diff && !options->json && !options->progress;
}

static enum task_stream output_kind(const struct options *options, size_t count)
{
    if (options->no_io)
        return STREAM_NULL;
    if (options->outdir)
        return STREAM_FILE;
    return is_plain(options, count) ? STREAM_OWN : STREAM_PIPE;
}

static void plan_make(struct task_plan *plan, const struct options *options, size_t count)
{
    bool collects = options->collect || options->diff;
    bool input = !options->no_io && !options->no_input && !options->files.in &&
                 !tool_stdin_is_null();

    plan->count = count;
    plan->outdir = options->outdir;
    plan->connect_ms = options->connect_ms;
    plan->run_ms = options->run_ms;
    plan->streams[0] = input ? STREAM_PIPE : STREAM_NULL;
    plan->streams[1] = options->files.out ? STREAM_NULL : output_kind(options, count);
    /* With a file, too: that it cannot be opened has to be told. */
    plan->streams[2] = output_kind(options, count);
    plan->leaves_output = options->outdir != NULL;
    plain_choose(plan);
    /* What is collected is stdout; stderr goes on as it comes, but one has to know whose it is. */
    plan->style = (struct output_style) {
        .lines = (options->lines && !options->outdir) || collects, .prefix = options->prefix,
        .label = options->label || (collects && !options->prefix), .longest = options->buffer
    };
    if (collects || options->json)
        plan->sinks[0] = NULL;
    if (options->json)
        plan->sinks[1] = NULL;
}

static void sinks_open(struct sink sinks[2])
{
    static const char *const colors[2] = { TOOL_CYAN, TOOL_RED };

    sinks[0].fd = STDOUT_FILENO;
    sinks[1].fd = STDERR_FILENO;
    for (int i = 0; i < 2; i++)
        if (tool_color_wanted(sinks[i].fd)) {
            sinks[i].label_on = colors[i];
            sinks[i].label_off = TOOL_PLAIN;
        }
}

static void outdir_make(const char *dir)
{
    struct stat st;

    if (mkdir(dir, 0777) == 0 || (errno == EEXIST && stat(dir, &st) == 0 && S_ISDIR(st.st_mode)))
        return;
    err(1, "cannot make directory '%s'", dir);
}

/* How many tasks before each are on the same node: their files need other names. */
static void copies_count(struct run *run)
{
    for (size_t i = 0; i < run->count; i++)
        for (size_t before = 0; before < i; before++)
            run->tasks[i].copy += run->tasks[before].node == run->tasks[i].node;
}

static void run_init(struct run *run, const struct nodeset *nodes, const struct options *options)
{
    *run = (struct run) { .count = nodes->count, .sequential = options->sequential,
                          .divider = options->divider, .fanout = options->fanout,
                          .rules = options->rules };
    run->tasks = calloc(nodes->count + 1, sizeof(*run->tasks));
    if (!run->tasks)
        errx(1, "cannot run on %zu nodes: %s", nodes->count, strerror(ENOMEM));
    for (size_t i = 0; i < run->count; i++)
        task_init(&run->tasks[i], nodes->nodes[i], (int)i);
    if (options->outdir)
        copies_count(run);
}

static void run_free(struct run *run)
{
    for (size_t i = 0; i < run->count; i++)
        task_free(&run->tasks[i]);
    free(run->tasks);
}

/* What is printed only when all is known. */
static void output_print(const struct run *run, const struct options *options, struct sink *sink,
                         int64_t start)
{
    struct collection collection;
    int error = 0;

    if (options->json)
        error = report_json(run, start);
    if (options->collect || options->diff) {
        error = collect_make(&collection, run);
        if (!error)
            error = options->diff ? diff_print(&collection) : collect_print(&collection, sink);
        collect_free(&collection);
    }
    if (error == -EPIPE || sink->error == EPIPE)
        sink_end_tool();
    if (sink->error)
        exit(1);
    if (error)
        errx(1, "cannot print the output: %s", strerror(-error));
}

static int run_nodes(struct run *run, struct task_plan *plan, const struct options *options)
{
    struct progress progress = { 0 };
    struct sink *sink = plan->sinks[0];
    struct input input;
    int64_t start = tool_clock();
    int error = 0;

    run->plan = plan;
    run->child_fd = task_prepare(plan);
    if (run->child_fd < 0)
        errx(1, "cannot watch the children: %s", strerror(-run->child_fd));
    plan_make(plan, options, run->count);
    run->keys = plan->streams[0] == STREAM_NULL && isatty(STDIN_FILENO);
    if (options->progress && isatty(STDERR_FILENO))
        run->progress = &progress;
    if (plan->streams[0] == STREAM_PIPE) {
        error = input_init(&input, STDIN_FILENO, run->sequential || run->fanout);
        run->input = &input;
    }
    if (options->outdir)
        outdir_make(options->outdir);
    if (!error)
        error = loop_run(run);
    if (error)
        errx(1, "cannot wait for the nodes: %s", strerror(-error));
    output_print(run, options, sink, start);
    plain_leave(run);
    if (run->input)
        input_free(&input);
    close(run->child_fd);
    return loop_result(run);
}

/* What a session's time limit asks for. */
struct terminal_end {
    struct task task;
    struct task_plan *plan;
};

static void terminal_end(void *arg, pid_t pid)
{
    struct terminal_end *end = arg;

    end->task.pid = pid;
    end->task.timed_out = true;
    ender_start(&end->task, end->plan, DEADLINE_GRACE);
}

/* On a terminal there; bpsh's own one is its window. */
static int run_terminal(const struct run *run, struct task_plan *plan,
                        const struct options *options)
{
    const struct task *task = &run->tasks[0];
    struct session session = { .node = task->node, .path = plan->command->path,
                               .argv = plan->command->argv, .terminal = true,
                               .no_input = options->no_input,
                               .failure = options->rules == RULES_STRICT ? 255 : 1,
                               .connect_ms = options->connect_ms, .run_ms = options->run_ms,
                               .end = terminal_end };
    struct terminal_end end = { .task = { .node = task->node }, .plan = plan };
    struct task *done = &end.task;
    int error;

    tool_start(STDOUT_FAILS);
    if (run->count != 1)
        errx(1, "--pty goes with one node, not %zu", run->count);
    plan->count = run->count;
    plan->run_ms = options->run_ms;
    if (task_environment(task, plan) < 0)
        err(1, "cannot set the environment");
    session.envp = environ;
    session.end_arg = &end;
    tool_mask(&plan->mask);
    error = session_run(&session, &done->status);
    if (done->timed_out)
        deadline_tell(done, plan);
    if (error) {
        fprintf(stderr, "%d: %s\n", task->node, tool_reason(-error));
        return options->rules == RULES_STRICT ? 255 : 1;
    }
    return options->rules == RULES_NONE ? 0 : options->rules == RULES_STRICT
        ? task_result_strict(done) : task_result(done);
}

/* One list: an exclusion counts wherever it stands, and alone only if there is nothing else. */
static char *specs_join(const struct options *options)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    for (size_t i = 0; out && i < options->nspecs; i++)
        fprintf(out, "%s%s", i > 0 ? "," : "", options->specs[i]);
    if (!out || fclose(out) != 0)
        errx(1, "cannot choose nodes '%s': %s", options->specs[0], strerror(ENOMEM));
    return text;
}

static void nodes_choose(struct nodeset *nodes, const struct options *options)
{
    int number = options->nspecs == 1 && options->nexcluded == 0 && !options->pty
                     ? nodelang_number(options->specs[0]) : -1;
    struct tool_nodes table;
    char *spec, text[512];
    int error;

    /* That needs no table: the daemon refuses what it does not know. */
    if (number >= 0) {
        if (nodeset_push(nodes, number) < 0)
            errx(1, "cannot choose node '%s': %s", options->specs[0], strerror(ENOMEM));
        return;
    }
    spec = specs_join(options);
    tool_nodes_load(&table);
    error = nodespec_add(nodes, spec, &table, text, sizeof(text));
    for (size_t i = 0; i < options->nexcluded && !error; i++)
        error = nodespec_exclude(nodes, options->excluded[i], &table, text, sizeof(text));
    if (error)
        errx(1, "%s", text);
    tool_nodes_free(&table);
    free(spec);
}

static void command_choose(struct command *command, const struct options *options)
{
    int error = *options->args ? command_make(command, options->args, &options->files) : 0;

    if (error == -ENOENT)
        errx(1, "%s: command not found", options->args[0]);
    if (error)
        errx(1, "%s: %s", options->args[0], strerror(-error));
}

static int plan_print(struct run *run, struct task_plan *plan, const struct options *options)
{
    run->plan = plan;
    if (options->json)
        return report_json(run, tool_clock()) < 0;
    report_plan(run);
    tool_flush(1);
    return 0;
}

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    static struct sink sinks[2];
    struct line line = LINE_NONE;
    struct task_plan plan = { .line = &line, .sinks = { &sinks[0], &sinks[1] } };
    struct nodeset nodes = { 0 };
    struct command command = { 0 };
    struct options options;
    struct run run;
    double start;
    int result;

    options_read(&options, argc, argv);
    sinks_open(sinks);
    command_choose(&command, &options);
    nodes_choose(&nodes, &options);
    plan.command = &command;
    run_init(&run, &nodes, &options);
    start = seconds_now();
    result = options.dry_run ? plan_print(&run, &plan, &options)
           : options.pty ? run_terminal(&run, &plan, &options) : run_nodes(&run, &plan, &options);
    if (options.time)
        fprintf(stderr, "%.6f\n", seconds_now() - start);
    run_free(&run);
    nodeset_free(&nodes);
    command_free(&command);
    options_free(&options);
    return result;
}
