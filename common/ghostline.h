/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The line from a daemon to a ghost, which is the same on the master and on nodes: what becomes of
 * the process goes down, signals come up. Stops need both ways told apart: one that we told the
 * ghost is no news, any other is somebody's signal. A stopped ghost reads nothing, so it is
 * continued for what it has to hear.
 *
 * A line is part of its daemon's ghost, which fills it in and owns what is in it. Nothing here
 * blocks.
 */
#ifndef BPROC_GHOSTLINE_H
#define BPROC_GHOSTLINE_H

#include "common/conn.h"

struct ghostline {
    struct conn *conn;
    int pid;                    /* as the cluster knows it */
    int pidfd;
    int stopped;                /* as the kernel has it, or will: we have continued it */
    int64_t told_stop;          /* until then a stop is taken for the one we told it; 0 */
    int stop_status;            /* of its process, for as long as that is stopped; 0 */
    int own_cont;               /* the last signal that came up was our SIGCONT */
};

void ghostline_signal(const struct ghostline *line, int signo);

/*
 * A P_GHOST_SIGNAL. 1 with it in *msg, which bears the ghost's own number whatever it said; 0: it
 * is no news, being the SIGCONT by which we, who are `self` to the ghost, have continued it. The
 * connection ends by one that does not decode.
 */
int ghostline_take(struct ghostline *line, const struct frame_header *header,
                   const uint8_t *body, int self, signal_msg *msg);

/* The kernel says that it stopped, or goes on. 1: by somebody else's doing, a stop. */
int ghostline_changed(struct ghostline *line, int stopped);

/* A P_GHOST_GOES_ON: it is told again if the SIGCONT was ours, else a stop that comes is news. */
void ghostline_goes_on(struct ghostline *line);

/* What its process did; `status` is wait(2)'s. */
void ghostline_exit(struct ghostline *line, int status);
void ghostline_stop(struct ghostline *line, int status);
void ghostline_cont(struct ghostline *line, int status);
void ghostline_group(const struct ghostline *line, const group_msg *group);

#endif
