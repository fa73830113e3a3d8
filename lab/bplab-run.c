/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * bplab-run: the part of bplab that a shell cannot do. Not for users.
 *
 *   bplab-run boot [-s STAGE] [-l DIR]… [-b DIR]… [-o DIR]… NAME NODEDIR [COMMAND…]
 *   bplab-run halt NODEDIR…
 *   bplab-run destroy NODEDIR…   (halt, and wait until the host has reaped the inits)
 *   bplab-run enter [-t] [-u USER] [-d LOG] NODEDIR COMMAND…
 */

#include "config.h"

#include "lab/boot.h"
#include "lab/die.h"
#include "lab/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { STATUS_USAGE = 2 };

static _Noreturn void usage(void)
{
    die(STATUS_USAGE, "bplab-run is called by bplab; see bplab --help");
}

static void dir_add(const char **dirs, const char *dir)
{
    int i = 0;

    while (dirs[i] != NULL)
        i++;
    if (i == VIEW_DIRS_MAX - 1)
        die(STATUS_USAGE, "cannot take directory %s: at most %d of a kind", dir, VIEW_DIRS_MAX - 1);
    dirs[i] = dir;
}

static int boot_main(int argc, char **argv)
{
    struct view view = {.stage = NULL};
    int option;

    while ((option = getopt(argc, argv, "+s:l:b:o:")) != -1) {
        if (option == 's')
            view.stage = optarg;
        else if (option == 'l')
            dir_add(view.layers, optarg);
        else if (option == 'b')
            dir_add(view.binds, optarg);
        else if (option == 'o')
            dir_add(view.owns, optarg);
        else
            usage();
    }
    if (argc - optind < 2)
        usage();
    view.nodedir = argv[optind + 1];
    return boot_run(argv[optind], &view, argv + optind + 2);
}

static _Noreturn void enter_main(int argc, char **argv, struct enter *enter)
{
    int option;

    while ((option = getopt(argc, argv, "+tu:d:")) != -1) {
        if (option == 't')
            enter->terminal = true;
        else if (option == 'u')
            enter->user = optarg;
        else if (option == 'd')
            enter->log = optarg;
        else
            usage();
    }
    if (argc - optind < 2)
        usage();
    enter->nodedir = argv[optind];
    enter->argv = argv + optind + 1;
    enter_run(enter);
}

/* So that no descriptor opened on the way takes the place of a standard stream. */
static void streams_reserve(bool *closed)
{
    int fd;

    for (fd = 0; fd < 3; fd++) {
        closed[fd] = fcntl(fd, F_GETFD) < 0 && errno == EBADF;
        if (closed[fd] && open("/dev/null", O_RDWR) < 0)
            _exit(ENTER_FAILED);
    }
}

int main(int argc, char **argv)
{
    struct enter enter = {.user = NULL};

    streams_reserve(enter.closed);
    if (argc < 2)
        usage();
    if (strcmp(argv[1], "boot") == 0)
        return boot_main(argc - 1, argv + 1);
    if (strcmp(argv[1], "halt") == 0)
        return halt_run(argv + 2, argc - 2, false);
    if (strcmp(argv[1], "destroy") == 0)
        return halt_run(argv + 2, argc - 2, true);
    if (strcmp(argv[1], "enter") == 0)
        enter_main(argc - 1, argv + 1, &enter);
    usage();
}
