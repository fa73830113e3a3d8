/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CRIU, ready to begin. To execute it, load its two dozen libraries and relocate them takes about
 * as long as what it then does for a small process, so it is done before there is anything to do.
 *
 * Life: the loader puts bproc-criu.so (criuready.c) into CRIU by LD_PRELOAD, which holds CRIU back
 * where it would read its request: in recv(), of which it has its own. READY_ENV says what as. A
 * *worker* has a hand-off socket for descriptor READY_SOCKET: it sends the near end of the socket
 * that will be CRIU's for its RPC, takes the descriptors that CRIU is to have, lets it go on, and
 * is `criu swrk`. A *server* has a child beside it, a *spare* one, that reads orders there, each
 * with a hand-off socket, and becomes the worker of the first; the server makes the next. It ends
 * with a spare one that has had no order for long, or if nobody is left who could send one.
 *
 * A CRIU that is no dynamic program takes no notice of all that; it ends for want of a request,
 * and the end of the hand-off socket is what tells.
 */
#ifndef BPROC_CRIUREADY_H
#define BPROC_CRIUREADY_H

#include <stdint.h>

#define READY_LIBRARY PKGLIBEXECDIR "/bproc-criu.so"
#define READY_ENV "BPROC_CRIU_READY"
#define READY_WORKER "worker"
#define READY_SERVER "server"
#define READY_SOCKET 3
#define READY_IDLE_SECONDS 60   /* that a spare one waits for an order */

/* With the hand-off socket, the mount namespace to work in, and the pid namespace if `pid_ns`. */
struct ready_order {
    int32_t target;             /* the process to be dumped, as the worker sees it */
    uint32_t uid, gid;          /* its owner */
    int32_t pid_ns;
};

enum { ORDER_HANDOFF, ORDER_MOUNTS, ORDER_PIDS, ORDER_FDS };

/* What comes over the hand-off socket first: what the worker is, with two descriptors. */
enum { STARTED_RPC, STARTED_PIDFD, STARTED_FDS };

/*
 * What goes back: packets of one byte with CRIU's descriptors, which get the numbers from
 * CRIU_FD_DIR on; one without any is the last.
 */

#endif
