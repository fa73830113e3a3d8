/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The launch of an arrived process: what the process space is given for a restore or an exec. Part
 * of arrival.h.
 */
#ifndef BPROC_ARRIVAL_LAUNCH_H
#define BPROC_ARRIVAL_LAUNCH_H

#include "migrate/arrival.h"
#include "migrate/criuworker.h"
#include "migrate/imagecheck.h"
#include "migrate/imagekinds.h"
#include "migrate/imagerecv.h"
#include "migrate/memoryrecv.h"
#include "migrate/streamends.h"
#include "proto/msg.h"

struct arrival {
    const struct arrival_setup *setup;
    SSL *ssl;
    int peer;                       /* TLS_NODE_MASTER, or the node it comes from */
    uint32_t sender;                /* its IPv4 address, host byte order */
    launch_arg launch;
    int slaved;                     /* our socket to slaved; -1: not yet */
    uint32_t call;                  /* serial of the last launch asked for there */
    int gate;                       /* near end of the restored process's gate */
    int filler;                     /* to who will have the memory of a lazy one; -1 */
    int taken;                      /* it failed because the pid is in use */
    int held;                       /* our last word waits for what the process says */
    struct nodefiles files;
    process_bounds bounds;          /* of one that a node has sent */
    struct image_files opened;      /* of an image of a node's */
    struct image image;
    struct criuworker criu;         /* that will restore it */
    int session;                    /* where that is */
    pid_t forker;                   /* see sibling.h; 0: none */
    struct streamends ends;
    char text[BPROC_MAX_TEXT];
};

/* Whose the process is; its groups stay the launch's. From a node: what the ticket says. */
struct image_owner arrival_owner(const struct arrival *arrival);

/* Who it is to those who launch it. */
launch_who arrival_who(const struct arrival *arrival);

/* With a reason, if there is none yet; `what` could not be done to it. Returns the error. */
int arrival_launch_fail(struct arrival *arrival, int error, const char *what);

/*
 * 0: the process waits at its gate, or its program was executed. Else -errno, with a reason in
 * arrival->text and arrival->taken. What a number is taken by may be there for long: a process that
 * stands for another, a group, a session. There is a second space for that, which is tried then.
 */
int arrival_launch(struct arrival *arrival);

/*
 * The restored process waits at its gate: it gets its memory and settles, in arrival_gate.c. 0 or
 * -errno, perhaps with a reason. Blocks.
 */
int arrival_settle(struct arrival *arrival);

/* Lets go of what only the launch needed. */
void arrival_release(struct arrival *arrival);

#endif
