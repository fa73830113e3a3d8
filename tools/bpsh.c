/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpsh: a command on nodes. Reads its arguments, starts one task a node, all at once, and leaves
 * them to the loop; the exit status is the highest of theirs.
 */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/bpsh_loop.h"
#include "tools/bpsh_options.h"
#include "tools/nodespec.h"
#include "tools/tool.h"

#define STATUS_SIGNAL 255

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

/* Signals and limits for a tool with many children; what the children shall have goes to *plan. */
static int process_prepare(struct task_plan *plan)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    struct rlimit files;
    sigset_t mask;
    int fd;

    while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO)
        ;
    close(fd);
    getrlimit(RLIMIT_NOFILE, &plan->files);
    files = plan->files;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGCHLD, SIG_DFL);
    sigaction(SIGPIPE, &ignore, &plan->pipe_action);
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_BLOCK, &mask, &plan->mask);
    fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        err(1, "cannot watch the children");
    return fd;
}

static const char *death_reason(const struct task *task)
{
    if (WTERMSIG(task->status) == SIGKILL && task->node >= 0 &&
        bproc_nodestatus(task->node) == bproc_node_down)
        return "Killed, the node is down";
    return strsignal(WTERMSIG(task->status));
}

/* Status of one task that was created; a death by signal is told. */
static int task_result(const struct task *task)
{
    if (!WIFSIGNALED(task->status))
        return WEXITSTATUS(task->status);
    fprintf(stderr, "%d: %s\n", task->node, death_reason(task));
    return STATUS_SIGNAL;
}

static int run_result(const struct run *run)
{
    size_t failed = 0;
    int highest = 0;

    for (size_t i = 0; i < run->count; i++) {
        int result = run->tasks[i].error ? 0 : task_result(&run->tasks[i]);

        failed += run->tasks[i].error != 0;
        highest = result > highest ? result : highest;
    }
    if (run->count == 0 || failed < run->count)
        return highest;
    if (run->count > 1)
        warnx("cannot run the command on any of %zu nodes", run->count);
    return 1;
}

static int run_nodes(const struct nodespec *nodes, struct task_plan *plan,
                     const struct options *options)
{
    struct run run = { .plan = plan, .count = nodes->count, .sequential = options->sequential,
                       .divider = options->divider };
    struct input input;
    int result;

    run.child_fd = process_prepare(plan);
    plan_make(plan, options, nodes->count);
    run.tasks = calloc(nodes->count + 1, sizeof(*run.tasks));
    if (!run.tasks || (plan->streams[0] == STREAM_PIPE && input_init(&input, run.sequential) < 0))
        errx(1, "cannot run on %zu nodes: %s", nodes->count, strerror(ENOMEM));
    if (plan->streams[0] == STREAM_PIPE)
        run.input = &input;
    for (size_t i = 0; i < run.count; i++) {
        run.tasks[i].node = nodes->nodes[i];
        run.tasks[i].rank = (int)i;
        task_start(&run.tasks[i], plan);
    }
    result = loop_run(&run);
    if (result < 0)
        errx(1, "cannot wait for the nodes: %s", strerror(-result));
    result = run_result(&run);
    if (run.input)
        input_free(&input);
    for (size_t i = 0; i < run.count; i++)
        task_free(&run.tasks[i]);
    free(run.tasks);
    close(run.child_fd);
    return result;
}

static void nodes_choose(struct nodespec *nodes, const char *spec)
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
    struct nodespec nodes = { 0 };
    struct options options;
    struct command command;
    double start;
    int result;

    options_read(&options, argc, argv);
    command_choose(&command, &options);
    nodes_choose(&nodes, options.spec);
    plan.command = &command;
    start = seconds_now();
    result = run_nodes(&nodes, &plan, &options);
    if (options.time)
        fprintf(stderr, "%.6f\n", seconds_now() - start);
    nodespec_free(&nodes);
    command_free(&command);
    return result;
}
