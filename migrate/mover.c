/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bproc-mover TLSDIR CRIU HASHDIR: masterd's server for transfers. It has the certificates loaded
 * and forks a child for each P_MOVE_START that comes over descriptor 3; the child has a channel of
 * its own to the daemon and outlives both when it has a running process's streams to carry.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/tls.h"
#include "migrate/departure.h"

#define MASTERD 3

static void transfer_start(const struct departure_setup *setup, struct msg *msg)
{
    pid_t pid = fork();

    if (pid < 0) {
        perror("bproc-mover: cannot fork");
    } else if (pid == 0) {
        close(MASTERD);
        /* CRIU's worker is waited for. */
        signal(SIGCHLD, SIG_DFL);
        prctl(PR_SET_NAME, "bproc-carrier");
        _exit(departure_run(setup, msg));
    }
    /* A child that could not be made shows as the end of its channel. */
    msg_free(msg);
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
    setup.ctx = tls_context(argv[1], 0, TLS_VERIFY_PEER, text, sizeof(text));
    setup.criu = argv[2];
    setup.hash_dir = argv[3];
    if (!setup.ctx) {
        fprintf(stderr, "bproc-mover: %s\n", text);
        return 1;
    }
    mkdir(setup.hash_dir, 0700);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    while (msg_recv_packet(MASTERD, msg) == 0) {
        if (msg->header.proc == P_MOVE_START)
            transfer_start(&setup, msg);
        else
            msg_free(msg);
    }
    return 0;
}
