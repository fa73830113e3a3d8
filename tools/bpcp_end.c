/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tools/bpcp_end.h"
#include "tools/bpcp_feed.h"
#include "tools/bpcp_flow.h"
#include "tools/bpcp_link.h"
#include "tools/bpcp_source.h"
#include "tools/bpcp_target.h"

#define BUFFER 262144

struct end_options {
    struct source source;
    struct target target;
    const char *dir;            /* relative paths count from there */
    const char *label;
    char **args;
};

static const char *home_dir(void)
{
    const struct passwd *user = getpwuid(getuid());

    return user ? user->pw_dir : "/";
}

static int options_read(struct end_options *options, int argc, char **argv)
{
    int option;

    *options = (struct end_options) { .target.suffix = "", .label = "" };
    while ((option = getopt(argc, argv, "rtbdpHC:l:s:")) != -1) {
        switch (option) {
        case 'r': options->source.recurse = true; break;
        case 't': options->source.total = true; break;
        case 'b': options->target.beside = true; break;
        case 'd': options->target.directory = true; break;
        case 'p': options->target.preserve = true; break;
        case 'H': options->dir = home_dir(); break;
        case 'C': options->dir = optarg; break;
        case 'l': options->label = optarg; break;
        case 's': options->target.suffix = optarg; break;
        default: return -EINVAL;
        }
    }
    options->args = argv + optind;
    return optind < argc ? 0 : -EINVAL;
}

/* Goes where relative names count from, if there are any among args[0] to args[count - 1]. */
static bool dir_enter(const char *dir, char **args, size_t count, struct report *report)
{
    bool relative = false;

    for (size_t i = 0; i < count && args[i]; i++)
        relative = relative || args[i][0] != '/';
    if (!relative || !dir || chdir(dir) == 0)
        return true;
    report_error(report, "cannot enter directory '%s': %s", dir, strerror(errno));
    return false;
}

static int source_run(struct end_options *options)
{
    struct source *source = &options->source;
    int error;

    source->out = stdout;
    source->refusals = STDIN_FILENO;
    source->report.label = options->label;
    setvbuf(stdout, NULL, _IOFBF, BUFFER);
    if (!dir_enter(options->dir, options->args, SIZE_MAX, &source->report))
        return report_status(source->report.errors);
    error = source_send(source, options->args);
    /* Targets that end early have said why. */
    if (error && error != -EPIPE)
        report_error(&source->report, "cannot send: %s", strerror(-error));
    return report_status(source->report.errors);
}

/* Of a stream that has not come to its end. */
static void target_fail(struct target *target, int error)
{
    if (error == -EPROTO)
        report_error(&target->report, "cannot copy to '%s': The source broke off", target->path);
    else if (error == -EPROTONOSUPPORT)
        report_error(&target->report, "cannot copy to '%s': The source is of another release",
                     target->path);
    /* A source that sends nothing at all has said why. */
    else if (error != -ENODATA)
        report_error(&target->report, "cannot copy to '%s': %s", target->path, strerror(-error));
}

static int target_run(struct end_options *options)
{
    struct target *target = &options->target;
    struct feed feed;
    int error;

    target->report.label = options->label;
    target->path = options->args[0];
    target->asked = options->args + 1;
    if (!dir_enter(options->dir, options->args, 1, &target->report) || !target_check(target))
        return report_status(target->report.errors);
    error = feed_open(&feed, STDIN_FILENO, STDOUT_FILENO);
    target->in = (struct stream_in) { .read = feed_read, .arg = &feed };
    target->refuse = feed_refuse;
    target->move = flow_move;
    target->arg = &feed;
    if (!error)
        error = target_receive(target);
    if (error)
        target_fail(target, error);
    else
        feed_finish(&feed);
    feed_close(&feed);
    return report_status(target->report.errors);
}

int end_main(int argc, char **argv)
{
    struct end_options options;
    const char *end = argc > 1 ? argv[1] : "";

    /* Else the name of a program that was sent is a number. */
    prctl(PR_SET_NAME, END_NAME);
    signal(SIGPIPE, SIG_IGN);
    /* A limit on the size of files is an error like any other. */
    signal(SIGXFSZ, SIG_IGN);
    if (strcmp(end, "link") == 0)
        return link_child_main(argc - 1, argv + 1);
    if ((strcmp(end, "source") == 0 || strcmp(end, "target") == 0) &&
        options_read(&options, argc - 1, argv + 1) == 0)
        return *end == 's' ? source_run(&options) : target_run(&options);
    fputs(END_NAME ": is run by bpcp\n", stderr);
    return 1;
}
