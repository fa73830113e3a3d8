/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bproc-receiver TLSDIR CRIU CACHEDIR CACHESIZE ROOT: slaved's server for arriving processes. It
 * accepts on descriptor 4, which slaved has bound, and forks a child for each connection; the
 * child registers with slaved over descriptor 3. ROOT is a way to the root of the processes.
 *
 * bproc-receiver purge CACHEDIR: empties the cache and ends.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/tls.h"
#include "migrate/aesgcm.h"
#include "migrate/arrival.h"
#include "migrate/guests.h"
#include "migrate/near.h"

#define SLAVED 3
#define LISTENER 4
#define ACCEPT_PAUSE_MS 100         /* when descriptors or processes have run out */

static void connection_take(struct arrival_setup *setup, int sock)
{
    pid_t pid;

    setup->known = guests_enter(sock);
    pid = setup->known < 0 ? -1 : fork();
    if (pid < 0) {
        perror("bproc-receiver: cannot take a connection");
    } else if (pid == 0) {
        close(LISTENER);
        guests_leave();
        signal(SIGCHLD, SIG_DFL);
        prctl(PR_SET_NAME, "bproc-arrival");
        _exit(arrival_run(setup, sock));
    }
    if (setup->known >= 0)
        close(setup->known);
    close(sock);
}

/* slaved says nothing on its socket: that it becomes readable is its end. */
static void server_run(struct arrival_setup *setup)
{
    for (;;) {
        int wait = guests_wait(), sock;
        struct pollfd fds[2 + GUESTS_MAX] = { { .fd = wait ? -1 : LISTENER, .events = POLLIN },
                                              { .fd = SLAVED, .events = POLLIN } };
        unsigned count = guests_fill(fds + 2);

        if (poll(fds, 2 + count, wait ? wait : -1) < 0)
            continue;
        if (fds[1].revents)
            return;
        guests_read(fds + 2, count);
        if (!fds[0].revents)
            continue;
        sock = accept4(LISTENER, NULL, NULL, SOCK_CLOEXEC);
        if (sock >= 0)
            connection_take(setup, sock);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
            poll(NULL, 0, ACCEPT_PAUSE_MS);
    }
}

static int cache_purge(const char *dir)
{
    struct filecache cache = { .dir = dir };
    int error = filecache_purge(&cache);

    if (error)
        fprintf(stderr, "bproc-receiver: cannot empty %s: %s\n", dir, strerror(-error));
    return error ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct arrival_setup setup = { .server = SLAVED };
    char text[256];

    if (argc == 3 && strcmp(argv[1], "purge") == 0)
        return cache_purge(argv[2]);

    if (argc != 6) {
        fprintf(stderr, "usage: bproc-receiver TLSDIR CRIU CACHEDIR CACHESIZE ROOT\n"
                        "       bproc-receiver purge CACHEDIR\n"
                        "(started by slaved)\n");
        return 1;
    }
    aesgcm_provide();
    setup.ctx = tls_context(argv[1], 1, TLS_VERIFY_PEER, text, sizeof(text));
    setup.criu = argv[2];
    setup.cache.dir = argv[3];
    setup.cache.limit = strtoull(argv[4], NULL, 10);
    snprintf(setup.root, sizeof(setup.root), "%s", argv[5]);
    setup.cache.root = setup.root;
    setup.out = setup.ctx ? tls_context(argv[1], 0, TLS_VERIFY_PEER, text, sizeof(text)) : NULL;
    if (!setup.out) {
        fprintf(stderr, "bproc-receiver: %s\n", text);
        return 1;
    }
    /* Without it everything is sent each time. */
    setup.store = pagestore_make(PAGESTORE_PAGES);
    setup.null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (setup.null < 0) {
        perror("bproc-receiver: cannot open /dev/null");
        return 1;
    }
    near_hope(LISTENER);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    server_run(&setup);
    return 0;
}
