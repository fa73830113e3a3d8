/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bproc-space: init of the pid and mount namespace in which a node's processes live.
 *
 * slaved starts it with descriptor 3 on a packet socket and both namespaces new. It makes its view
 * of the files, says so with an empty P_PING, then serves: launches, signals, the end of parents;
 * and reports what becomes of the launched ones. When the socket closes it ends, and the kernel
 * ends everything in the space. Nothing else ends it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "migrate/criuready.h"
#include "migrate/space/census.h"
#include "migrate/space/fate.h"
#include "migrate/space/keeper.h"
#include "migrate/space/mounts.h"
#include "migrate/space/numbers.h"
#include "migrate/space/orders.h"
#include "migrate/space/pending.h"
#include "migrate/space/room.h"
#include "migrate/space/rootns.h"
#include "migrate/space/spec.h"

#define BINDS_MAX 16

static char *binds[BINDS_MAX];      /* what every root has of the node's own files */
static unsigned bind_count;
static const char *home;            /* folder over which its subfolder "home" is laid */

static unsigned poll_fill(struct pollfd *polled, int signals)
{
    unsigned count = 0;

    polled[count++] = (struct pollfd){ .fd = SLAVED, .events = POLLIN };
    polled[count++] = (struct pollfd){ .fd = signals, .events = POLLIN };
    polled[count++] = (struct pollfd){ .fd = census_fd(), .events = POLLIN };
    for (const struct keeper *keeper = keeper_list; keeper; keeper = keeper->next)
        polled[count++] = (struct pollfd){ .fd = keeper->channel, .events = POLLIN };
    return count;
}

/* Ends are taken in before new launches, so that a number that is free again can be had. */
__attribute__((noreturn))
static void serve(int signals)
{
    static struct pollfd polled[KEEPERS_MAX + 3];
    int tidy = -1;

    for (;;) {
        unsigned count = poll_fill(polled, signals), index = 3;
        struct signalfd_siginfo info;
        int wait = census_look();

        if (tidy >= 0 && (wait < 0 || tidy < wait))
            wait = tidy;
        if (poll(polled, count, wait) < 0)
            continue;
        for (struct keeper *keeper = keeper_list; keeper; keeper = keeper->next)
            if (polled[index++].revents)
                keeper_read(keeper);
        if (polled[1].revents)
            while (read(signals, &info, sizeof(info)) == sizeof(info))
                ;
        reap_all(fate_reaped);
        if (polled[2].revents)
            census_ends();
        if (polled[0].revents)
            orders_read();
        tidy = keeper_tidy();
    }
}

static void limits_raise(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static const char *options_read(int argc, char **argv)
{
    static const struct option options[] = {
        { "root", required_argument, NULL, 'r' },
        { "bind", required_argument, NULL, 'b' },
        { "home", required_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 }
    };
    const char *root = NULL;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'r')
            root = optarg;
        else if (option == 'h')
            home = optarg;
        else if (option == 'b' && bind_count < BINDS_MAX)
            binds[bind_count++] = optarg;
        else
            exit(2);
    }
    return root;
}

int main(int argc, char **argv)
{
    static const struct census_ops ops = { .on_born = fate_born, .on_group = fate_group,
                                           .on_status = fate_status };
    const char *root = options_read(argc, argv), *what = "/proc";
    int error, signals;

    if (getpid() != 1) {
        fprintf(stderr, "bproc-space: cannot start: not the init of a pid namespace; "
                        "slaved starts it\n");
        return 2;
    }
    setsid();
    error = launch_init();
    if (error)
        fprintf(stderr, "bproc-space: cannot open %s, so no process can be restored: %s\n",
                READY_LIBRARY, strerror(-error));
    error = mounts_make(root, binds, bind_count, &what);
    if (!error && home)
        error = mounts_home(home, &what);
    if (!error)
        error = rootns_init();
    if (error) {
        fprintf(stderr, "bproc-space: cannot mount %s: %s\n", what, strerror(-error));
        return 1;
    }
    numbers_init();
    limits_raise();
    spec_init();
    pending_init();
    room_init();
    signals = reap_signals();
    if (signals < 0 || keeper_init(fate_report, fate_signal) < 0 || census_init(&ops) < 0 ||
        fcntl(SLAVED, F_SETFD, FD_CLOEXEC) < 0) {
        fprintf(stderr, "bproc-space: cannot start: %s\n", strerror(errno));
        return 1;
    }
    orders_init(binds, bind_count);
    if (msg_send(SLAVED, K_EVENT, P_PING, 0, 0, NULL, NULL, NULL, 0) < 0)
        return 1;
    serve(signals);
}
