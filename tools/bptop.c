/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bptop: nodes and processes across the cluster, again and again. Reads its arguments and shows
 * samples on the terminal or as text.
 */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/bptop_batch.h"
#include "tools/bptop_screen.h"
#include "tools/tool.h"

#define DELAY_DEFAULT 2.0
#define DELAY_LEAST 0.1
#define DELAY_MOST 86400

struct options {
    struct screen_options screen;
    bool batch, json;
};

enum { OPTION_COLOR = 256, OPTION_JSON };

static const char usage_text[] =
    "usage: bptop [OPTION]...\n"
    "Shows what the nodes and their processes do, on the terminal until q is pressed.\n"
    "  -b, --batch           text on stdout, for scripts\n"
    "  -d, --delay SECONDS   between two looks (default 2)\n"
    "  -n, --iterations N    so many looks (default: no end)\n"
    "  -o, --sort FIELD      cpu (default), mem, time, pid, node, user or command\n"
    "  -r, --reverse         the other way round\n"
    "  -u, --user USER       processes of that user only, name or number\n"
    "  -w, --nodes NODES     these nodes only (3, n[0-3,7], allup, @group)\n"
    "  -p, --processes       without the nodes\n"
    "      --json            as -b, an object for each look\n"
    "      --color WHEN      auto (default), always or never\n"
    "  -h, --help            print this text\n"
    "  -V, --version         print the release\n";

static const struct option long_options[] = {
    { "batch", no_argument, NULL, 'b' }, { "delay", required_argument, NULL, 'd' },
    { "iterations", required_argument, NULL, 'n' }, { "sort", required_argument, NULL, 'o' },
    { "reverse", no_argument, NULL, 'r' }, { "user", required_argument, NULL, 'u' },
    { "nodes", required_argument, NULL, 'w' }, { "processes", no_argument, NULL, 'p' },
    { "json", no_argument, NULL, OPTION_JSON }, { "color", required_argument, NULL, OPTION_COLOR },
    { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' }, { 0 }
};

static double delay_read(const char *text)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end || !(value >= DELAY_LEAST && value <= DELAY_MOST))
        errx(1, "'%s' is no delay: 0.1 to 86400 seconds", text);
    return value;
}

static long iterations_read(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);

    if (end == text || *end || value < 1 || value > 1000000000)
        errx(1, "'%s' is no number of looks", text);
    return value;
}

static enum view_sort sort_read(const char *text)
{
    int sort = view_sort_find(text);

    if (sort < 0)
        errx(1, "'%s' is no field to sort by: cpu, mem, time, pid, node, user, command", text);
    return (enum view_sort)sort;
}

static void word_read(char *word, size_t len, const char *text, const char *what)
{
    if (snprintf(word, len, "%s", text) >= (int)len)
        errx(1, "'%s' is too long for %s", text, what);
}

static void user_read(struct view *view, const char *name)
{
    char text[128];

    word_read(view->user, sizeof(view->user), name, "a user");
    if (view_user_check(view->user, text, sizeof(text)) < 0)
        errx(1, "%s", text);
}

static void option_set(struct options *options, int option)
{
    struct view *view = &options->screen.view;

    switch (option) {
    case 'b': options->batch = true; break;
    case 'd': options->screen.delay = delay_read(optarg); break;
    case 'n': options->screen.iterations = iterations_read(optarg); break;
    case 'o': view->sort = sort_read(optarg); break;
    case 'r': view->reverse = true; break;
    case 'u': user_read(view, optarg); break;
    case 'w': word_read(view->nodes, sizeof(view->nodes), optarg, "nodes"); break;
    case 'p': view->no_nodes = true; break;
    case OPTION_JSON: options->batch = options->json = true; break;
    case OPTION_COLOR: tool_color_set(optarg); break;
    case 'h': tool_usage(usage_text, 0, 1);
    case 'V': tool_version(1);
    default: exit(1);
    }
}

static void options_read(struct options *options, int argc, char **argv)
{
    int option;

    *options = (struct options) { .screen = { .delay = DELAY_DEFAULT } };
    while ((option = getopt_long(argc, argv, "bd:n:o:ru:w:phV", long_options, NULL)) != -1)
        option_set(options, option);
    if (optind < argc)
        errx(1, "unexpected argument '%s'", argv[optind]);
}

static void look(const struct options *options, const struct sample *sample)
{
    const struct view *view = &options->screen.view;
    struct picture picture;
    char text[256];

    if (view_make(&picture, view, sample, text, sizeof(text)) < 0)
        errx(1, "%s", text);
    if (options->json)
        batch_json(sample, &picture, view);
    else
        batch_print(sample, &picture, view, options->screen.color);
    view_free(&picture);
    tool_flush(1);
}

static void batch_run(const struct options *options)
{
    struct sample before = { 0 }, sample;
    struct timespec delay = { (time_t)options->screen.delay, 0 };

    delay.tv_nsec = (long)((options->screen.delay - (double)delay.tv_sec) * 1e9);
    for (long i = 0; i == 0 || options->screen.iterations == 0 || i < options->screen.iterations;
         i++) {
        int error;

        if (i > 0)
            nanosleep(&delay, NULL);
        if (i > 0 && !options->json)
            putchar('\n');
        error = sample_take(&sample, i > 0 ? &before : NULL);
        if (error)
            errx(1, "cannot look at the nodes: %s", tool_reason(-error));
        look(options, &sample);
        sample_free(&before);
        before = sample;
    }
    sample_free(&before);
}

int main(int argc, char **argv)
{
    struct options options;
    int signo;

    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C");
    options_read(&options, argc, argv);
    options.screen.color = tool_color_wanted(STDOUT_FILENO);
    if (options.batch) {
        batch_run(&options);
        return 0;
    }
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        errx(1, "this is no terminal: -b prints text");
    signo = screen_run(&options.screen);
    if (signo) {
        signal(signo, SIG_DFL);
        raise(signo);
    }
    return 0;
}
