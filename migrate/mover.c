/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bproc-mover TLSDIR CRIU HASHDIR: masterd's server for transfers. It has the certificates loaded
 * and CRIU at hand, and gives each P_MOVE_START that comes over descriptor 3 to a child; that has a
 * channel of its own to the daemon and outlives both when it has a running process's streams to
 * carry.
 */
#include "config.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/tls.h"
#include "migrate/aesgcm.h"
#include "migrate/carriers.h"
#include "migrate/criuserver.h"

#define MASTERD 3

static void daemon_read(struct msg *msg)
{
    if (msg_recv_packet(MASTERD, msg) < 0)
        exit(0);
    if (msg->header.proc == P_MOVE_START)
        carriers_start(msg);
    else
        msg_free(msg);
}

__attribute__((noreturn))
static void serve(struct msg *msg)
{
    struct pollfd fds[2] = { { .fd = MASTERD, .events = POLLIN }, { .events = POLLIN } };

    for (;;) {
        fds[1].fd = criuserver_fd();
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[1].revents)
            criuserver_read();
        if (fds[0].revents)
            daemon_read(msg);
    }
}

int main(int argc, char **argv)
{
    struct departure_setup setup;
    struct msg *msg = malloc(sizeof(*msg));
    char text[256];

    if (argc != 4 || !msg) {
        fprintf(stderr, "usage: bproc-mover TLSDIR CRIU HASHDIR (started by masterd)\n");
        return 1;
    }
    aesgcm_provide();
    setup.ctx = tls_context(argv[1], 0, TLS_VERIFY_PEER, text, sizeof(text));
    setup.hash_dir = argv[3];
    if (!setup.ctx) {
        fprintf(stderr, "bproc-mover: %s\n", text);
        return 1;
    }
    mkdir(setup.hash_dir, 0700);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    if (criuserver_init(argv[2]) < 0 || carriers_init(&setup, MASTERD) < 0 ||
        fcntl(MASTERD, F_SETFD, FD_CLOEXEC) < 0) {
        perror("bproc-mover: cannot start");
        return 1;
    }
    setup.orders = criuserver_orders();
    serve(msg);
}
