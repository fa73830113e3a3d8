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
    while ((option = getopt(argc, argv, "rtdpHC:l:s:")) != -1) {
        switch (option) {
        case 'r': options->source.recurse = true; break;
        case 't': options->source.total = true; break;
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

static int target_run(struct end_options *options)
{
    struct target *target = &options->target;
    int error;

    target->in = stdin;
    target->refusals = stdout;
    target->report.label = options->label;
    target->path = options->args[0];
    target->asked = options->args + 1;
    setvbuf(stdin, NULL, _IOFBF, BUFFER);
    if (!dir_enter(options->dir, options->args, 1, &target->report))
        return report_status(target->report.errors);
    error = target_receive(target);
    if (error == -EPROTO)
        report_error(&target->report, "cannot copy to '%s': The source broke off", target->path);
    else if (error == -EPROTONOSUPPORT)
        report_error(&target->report, "cannot copy to '%s': The source is of another release",
                     target->path);
    /* A source that sends nothing at all has said why. */
    else if (error && error != -ENODATA)
        report_error(&target->report, "cannot copy to '%s': %s", target->path, strerror(-error));
    return report_status(target->report.errors);
}

int end_main(int argc, char **argv)
{
    struct end_options options;
    bool source = argc > 1 && strcmp(argv[1], "source") == 0;

    /* Else the name of a program that was sent is a number. */
    prctl(PR_SET_NAME, END_NAME);
    signal(SIGPIPE, SIG_IGN);
    /* A limit on the size of files is an error like any other. */
    signal(SIGXFSZ, SIG_IGN);
    if (argc < 3 || (!source && strcmp(argv[1], "target") != 0) ||
        options_read(&options, argc - 1, argv + 1) < 0) {
        fputs(END_NAME ": is run by bpcp\n", stderr);
        return 1;
    }
    return source ? source_run(&options) : target_run(&options);
}
