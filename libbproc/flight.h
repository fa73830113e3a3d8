/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A child on its way to a node, as its parent holds it.
 *
 * Life: flight_begin() asks the daemon, forks the child quietly and lets it hand itself over;
 * flight_finish() waits for what becomes of it. Many may be under way at once: begin all, then
 * finish them in any order. Until the end the child is nobody's child: whatever fails, it is taken
 * back without a trace. flight_run() does both for one child, and again if its pid was taken.
 *
 * A handle belongs to the process that began it. Descriptors of all handles are listed with
 * client_claim(), so the child of one does not carry those of the others along.
 */
#ifndef BPROC_FLIGHT_H
#define BPROC_FLIGHT_H

#include <sys/types.h>

#include "libbproc/depart.h"

/* What is to fly. Not changed by any call here. */
struct flight_plan {
    move_kind kind;
    int node;
    int flags;                          /* or DEPART_NO_FLAGS */
    int lazy;                           /* it may arrive before all of its memory */
    const void *arg;                    /* for the two below */
    /*
     * Runs in the child, all signals blocked, `mask` what they were: hands the child over on
     * depart->conn. Returns on the node only, with depart's descriptors gone.
     */
    void (*leave)(struct depart *depart, const uint64_t *mask, const struct flight_plan *plan);
    /* In the child where it arrives, before anybody counts on it; may be NULL. 0 or -errno. */
    int (*settle)(const gate_msg *news);
    /* Makes the child when `node` is the caller's own: its pid, 0 in the child, or -errno. */
    pid_t (*stay)(const struct flight_plan *plan);
};

struct flight {
    struct depart depart;
    pid_t pid;                          /* of the child; 0 in the child itself */
    int pidfd;                          /* -1 for a child that stays here */
};

/*
 * 0: under way, or (flight->pid == 0) this is the child where it was sent, and there is nothing to
 * finish. A negative errno: no child was made; nothing to finish either. Blocks for the daemon.
 */
int flight_begin(struct flight *flight, const struct flight_plan *plan);

/*
 * Why a child ended before it could hand itself over, by its status: a negative errno. Does not
 * block.
 */
int flight_child_error(int pidfd);

/*
 * The child's pid, or a negative errno after which no child is left; -BPROC_PID_TAKEN:
 * another pid may do. Blocks until the child runs there or the transfer has failed.
 */
pid_t flight_finish(struct flight *flight);

/* Begins and finishes: the child's pid, 0 in the child, or a negative errno. */
pid_t flight_run(const struct flight_plan *plan);

/* Goes on with a flight that was begun, as flight_run(): begins anew while the pid is taken. */
pid_t flight_complete(struct flight *flight, const struct flight_plan *plan);

#endif
