/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpsh: a command on nodes. Reads its arguments, starts one task a node, all at once, and leaves
 * them to the loop; the exit status is the highest of theirs.
 */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
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
#include "tools/nodespec.h"
#include "tools/tool.h"

#define STATUS_SIGNAL 255
#define LONGEST_BUFFER (16 * 1024 * 1024)

struct options {
    const char *spec;
    bool no_input, no_io, lines, prefix, sequential, divider, time;
    size_t buffer;
    struct command_files files;
    char **args;
};

static const char usage_text[] =
    "usage: bpsh [OPTION]... NODES COMMAND [ARGUMENT]...\n"
    "       bpsh [OPTION]... -a|-A|-1 COMMAND [ARGUMENT]...\n"
    "Runs COMMAND on NODES (3, 0-5, allup, 1,4,7-, master).\n"
    "  -a             all nodes that are up\n"
    "  -A             all nodes that are not down\n"
    "  -1             the master\n"
    "  -n             no input: stdin of the command is empty\n"
    "  -N             no input and no output\n"
    "  -I, --stdin FILE    read FILE on the node instead\n"
    "  -O, --stdout FILE   write FILE on the node instead\n"
    "  -E, --stderr FILE   write FILE on the node instead\n"
    "  -L             line by line: lines of different nodes do not mix\n"
    "  -p             put the node's number in front of each line\n"
    "  -s             output of one node after the other\n"
    "  -d             the same, with a divider in front of each node's\n"
    "  -b BYTES       longest line for -L and -p [4096]\n"
    "  -t, --time     print the elapsed seconds at the end, to stderr\n"
    "  -l USER        accepted and ignored\n"
    "  -h, --help     print this text\n"
    "  -v, --version  print the release\n";

static const struct option long_options[] = {
    { "stdin", required_argument, NULL, 'I' }, { "stdout", required_argument, NULL, 'O' },
    { "stderr", required_argument, NULL, 'E' }, { "time", no_argument, NULL, 't' },
    { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'v' }, { 0 }
};

static size_t buffer_read(const char *text)
{
    char *end;
    unsigned long bytes;

    errno = 0;
    bytes = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || bytes == 0 || bytes > LONGEST_BUFFER)
        errx(1, "'%s' is no buffer size (1 to %d)", text, LONGEST_BUFFER);
    return bytes;
}

static void spec_set(struct options *options, const char *spec)
{
    if (options->spec)
        errx(1, "nodes are given twice: '%s' and '%s'", options->spec, spec);
    options->spec = spec;
}

static void option_set(struct options *options, int option)
{
    switch (option) {
    case 'a': spec_set(options, "allup"); break;
    case 'A': spec_set(options, "allnotdown"); break;
    case '1': spec_set(options, "master"); break;
    case 'n': options->no_input = true; break;
    case 'N': options->no_io = true; break;
    case 'I': options->files.in = optarg; break;
    case 'O': options->files.out = optarg; break;
    case 'E': options->files.err = optarg; break;
    case 'p': options->prefix = true; /* fall through */
    case 'L': options->lines = true; break;
    case 'd': options->divider = true; /* fall through */
    case 's': options->sequential = true; break;
    case 'b': options->buffer = buffer_read(optarg); break;
    case 't': options->time = true; break;
    case 'l': break;
    case 'h': tool_usage(usage_text, 1);
    case 'v': tool_version();
    default: exit(1);
    }
}

/* Is the next word a node specification that looks like an option, as "-1,0"? */
static bool spec_next(const struct options *options, char *word)
{
    return !options->spec && word && word[0] == '-' && word[1] >= '0' && word[1] <= '9';
}

static void options_read(struct options *options, int argc, char **argv)
{
    int option;

    *options = (struct options) { .buffer = 4096 };
    while (optind < argc) {
        if (spec_next(options, argv[optind])) {
            spec_set(options, argv[optind++]);
            continue;
        }
        option = getopt_long(argc, argv, "+aA1nNLpsdb:I:O:E:tl:hv", long_options, NULL);
        if (option != -1)
            option_set(options, option);
        else if (!options->spec && optind < argc)
            spec_set(options, argv[optind++]);
        else
            break;
    }
    if (!options->spec)
        errx(1, "no nodes given; bpsh --help tells more");
    if (optind == argc)
        errx(1, "no command given for nodes '%s'; bpsh --help tells more", options->spec);
    options->args = argv + optind;
}

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
