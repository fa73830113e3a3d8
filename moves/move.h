/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process leaves this machine. Life of a move: the caller hands the process over; the daemon
 * says whether it may go, and where to; the mover is told; READY: the process waits there, and the
 * daemon enters it in the master's table; COMMIT, from which on there is no way back; COMMITTED: it
 * runs there and the gate opens, so that what waits here becomes the ghost, or ends if nobody needs
 * one; HELLO: the ghost is there, perhaps since the beginning, the caller gets the pid and the move
 * ends.
 *
 * A program cannot be held back as an image can. Where the daemon itself hears from the nodes
 * (ops->hears), its node counts it as soon as it is executed and says so, STARTED, and so does the
 * mover, COMMITTED: each is READY and COMMITTED in one. What is said to run after its move has
 * failed is killed.
 *
 * Whatever fails before that, the caller or the gate going away included, undoes it: before COMMIT
 * by closing the mover's channel, after it by killing the process where it runs.
 *
 * masterd and slaved share this; what they do differently is in a table of operations.
 */
#ifndef MOVES_MOVE_H
#define MOVES_MOVE_H

#include <stdint.h>
#include <sys/queue.h>

#include "common/caller.h"
#include "common/conn.h"
#include "proto/bproc.h"

enum move_phase {
    MOVE_ASKING,        /* the daemon has not said yet whether it may go */
    MOVE_HANDED,        /* what is to be dumped still closes what must not be in the image */
    MOVE_STARTED,       /* the mover is at work */
    MOVE_HELD,          /* it waits there, and others of its vector are made of it: vector.h */
    MOVE_ENTERING,      /* it waits there; the daemon has not entered it yet */
    MOVE_COMMITTING,    /* told to let the process run */
    MOVE_GATE,          /* it runs; what waits here is becoming the ghost */
    MOVE_LEAVING        /* it runs; what waits here hands on its signals and ends */
};

struct move {
    /* What the daemon may read. */
    move_kind kind;
    int pid, ppid, pgid, sid;       /* as the cluster knows them */
    int node;                       /* where it goes */
    int flags;
    pid_t task;                     /* the process that will be the ghost, to the daemon */
    uid_t uid;
    gid_t gid;
    uid_t puid;                     /* whose its parent is; 0 also when that is gone */
    unsigned *groups, ngroups;
    restraint least;                /* that it is under wherever it runs */
    int *children;                  /* of a process that moves, as the cluster knows them */
    unsigned nchildren;
    void *owner;                    /* the daemon's own */

    /* Of the files that lead it. */
    LIST_ENTRY(move) entry;
    enum move_phase phase;
    struct conn *client;            /* NULL: gone, or nobody waits */
    struct frame_header header;     /* of the client's call */
    struct conn *gate;              /* of who will be the ghost */
    int ahead;                      /* it is there already */
    struct conn *copy;              /* gate of the copy that is dumped in place of who moves */
    int copy_reached;
    struct conn *channel;           /* to the mover's child */
    node_place to;                  /* where that has its connection to */
    uintptr_t mover;                /* whose child it is, by carrierpool_mover() */
    int spare;                      /* it is free, and waits at the channel */
    pid_t dump_task, dump_pid;      /* the process that is dumped, to us and to itself */
    pid_t parent;                   /* of the process that leaves, to us */
    pid_t space;                    /* init of the process space it is in; 0: in none */
    dump_arg dump;                  /* for the mover, once it is fit to be dumped */
    int pidfd;                      /* of `task` */
    move_handover_arg arg;          /* until the mover is told */
    int fds[BPROC_MAX_FDS];
    unsigned nfds;
    struct vector *vector;          /* NULL: it is by itself */
    share_how how;                  /* SHARE_NONE: nobody has begun with it */
    int rank;
    unsigned serial;                /* of a program that its node commits; 0: we do */
    int runs;                       /* such a program does */
    struct doubt *doubt;            /* it has failed; NULL: it has not */
    int64_t started;                /* by move_clock(), as all of these: asked for */
    int64_t begun;                  /* the mover was told */
    int64_t committed;
    int reported;                   /* the mover: what follows is known */
    unsigned usec[MOVE_NTIMES];
    uint64_t bytes;
};

/* Where a process goes. */
struct move_place {
    node_place to;
    int flags;
    int node_is_up;
    unsigned io_direct;
    unsigned ping_timeout;
    move_ticket ticket;             /* borrowed */
    lib_list libraries;             /* borrowed */
};

struct move_ops {
    int vectors;                    /* this daemon sends the children of a vector by one image */
    int hears;                      /* nodes tell this daemon what they have started */
    /*
     * A client's word for a process, in his pid namespace, to the number we know it by. 0, or a
     * positive errno with a reason. *space: init of the process space it is in; 0: in none.
     */
    int (*find)(const struct caller *caller, int number, pid_t *task, pid_t *space, char *text,
                size_t len);
    /* May it go? Answers by move_start() or move_fail(), at once or later. */
    void (*allow)(struct move *move);
    /* It waits there. Answers by move_commit() or move_fail(). */
    void (*enter)(struct move *move);
    /* It runs there. 1: what waits here becomes its ghost; 0: it ends. May take the channel. */
    int (*committed)(struct move *move);
    /* The ghost is there. 0: `gate` and `pidfd` are taken over; -errno. */
    int (*ghost)(struct move *move, struct conn *gate, int pidfd);
    /* What is about to end here, as nobody needs it, had a signal pending. */
    void (*signal)(struct move *move, signal_msg *msg);
    /* The caller has his answer. What it sent may only be known later: sent(). */
    void (*done)(struct move *move, int64_t usec);
    /* So many bytes went to the node; not said when nobody can tell. NULL: nobody counts. */
    void (*sent)(uint64_t bytes);
    /* Whether its node may be lost already and not known to be. NULL: that is told by others. */
    int (*is_silent)(const struct move *move);
    /* It failed, in whichever phase; error is positive. */
    void (*undo)(struct move *move, int error, const char *text);
};

/* Once, before the first move. Both are kept. */
void moves_init(struct event_base *base, const struct move_ops *ops);

/* Once, at the end: nothing is said of moves any more. */
void moves_stop(void);

/*
 * Answers P_MOVE_HANDOVER of a client, whose part may be over when this returns. Takes descriptors
 * out of `fds`.
 */
void move_handover(struct conn *conn, const struct caller *caller,
                   const struct frame_header *header, const uint8_t *body, int *fds);

/* The daemon's answers. After move_fail(), and if starting fails, the move is gone. */
void move_start(struct move *move, const struct move_place *place);
void move_commit(struct move *move);
void move_fail(struct move *move, int error, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A node says that it runs what the move of that serial was to bring. 0: there is no such move. */
int move_runs(int node, const started_msg *started);

/* The move of that process, the latest one; NULL if it is not under way. */
struct move *move_find(int pid);

/* Whether an earlier one, after which a process of the number runs here again, is still there. */
int move_is_early(const struct move *move);

/* The client's connection is over. */
void move_client_gone(struct conn *conn);

/* Moves to this node fail with BE_SLAVEDIED. */
void moves_node_lost(int node);

/* For words: "n3", or "the master". Good until the next but three calls. */
const char *move_node_name(int node);

#endif
