/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last part of a transfer's life, on either side: the streams of the process are relayed over
 * the connection that brought it, until they have ended.
 *
 * Life: carry_open() makes ready what needs nobody, best while the other side is at work;
 * carry_run() when the process runs. A transfer that fails in between is our end, too.
 */
#ifndef BPROC_CARRY_H
#define BPROC_CARRY_H

#include <sys/socket.h>
#include <sys/types.h>
#include <openssl/ssl.h>

#include "migrate/streamends.h"
#include "proto/bproc.h"

struct carry {
    SSL *ssl;
    pid_t parent;               /* who may share the read ends; 0: nobody */
    struct ucred sender;        /* in whose name the originals are written to; pid 0: ours */
    unsigned count;
    stream_desc *streams;
    const int *fds;             /* by stream; -1: none; taken over; ports' by carry_run() */
    int node_side;              /* the ends that face the process, not the originals */
    int direct;                 /* the originals are the caller's own, no relay's */
    int held;                   /* what the connection has gathered waits a moment for more */
    int slaved;                 /* node side: the daemon's socket; it says when the process ends */
    uint32_t call;              /* serial of the process's launch there */
    int upstream;               /* the originals' side: asked for what lies before it; -1 */
    int pid;
    unsigned ping_timeout;      /* seconds after which the other machine has given this one up; 0 */
    const char *root;           /* node side: of the process space */
    const struct end_identity *identity;    /* node side: of the process's ends, by stream */
    /* Once: it has lasted a while, or has ended, with what carry_run() is to return. NULL. */
    void (*settled)(void *arg, int over);
    void *arg;
};

/*
 * Has the kernel end the connection when nothing has been heard of the other machine for so many
 * seconds (0: never). When the daemons have given one another up the process is dead, whatever it
 * may still have said: that is not to come out when the machines hear of one another again.
 */
void carry_watch(int sock, unsigned seconds);

struct carrying;

/*
 * Leaves the connection as it is; what `carry` points to has to stay. NULL: out of memory or of
 * descriptors. Does not block.
 */
struct carrying *carry_open(const struct carry *carry);

/*
 * Runs until the connection or the work has ended. 1: the work has, and both sides have said so, so
 * that the connection is free for other work; on the node slaved has heard P_DRAINED then. 0: it
 * is not. Frees `carrying`.
 */
int carry_run(struct carrying *carrying);

#endif
