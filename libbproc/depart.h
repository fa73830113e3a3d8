/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A process leaves its machine: the steps that rfork, rexec and execmove have in common.
 *
 * depart_ask() asks the daemon whether and how; depart_gate() and depart_handover() give it the
 * process's gate and streams; gate_wait() tells the process what has become of it; it either ends
 * (its part in the failed call is over), goes on (it is the remote one) or becomes the ghost.
 */
#ifndef BPROC_DEPART_H
#define BPROC_DEPART_H

#include <stdint.h>

#include "libbproc/streams.h"
#include "proto/msg.h"

#define DEPART_NO_FLAGS (-1)            /* the default for the node */

#define GHOST_PATH PKGLIBEXECDIR "/bproc-ghost"
#define GHOST_GATE 3                    /* number of the gate's descriptor in the ghost */

/* Status of a child that ends at its gate after the daemon's refusal; a lower one is an errno. */
#define CHILD_GAVE_UP 127

/* A child that is not dumped, and waits at a gate of its own. */
struct depart_other {
    vector_member who;
    int gate_far;                       /* the daemon's end */
};

struct depart {
    int conn;                           /* to the daemon; client_open()'s */
    uint32_t serial;                    /* of the last call over it */
    int gate;                           /* the process's end, -1 before depart_gate() */
    int gate_far;                       /* the daemon's end, -1 once handed over */
    int keep, keep_far;                 /* the same for who stays behind a copy; else -1 */
    move_kind kind;
    int node;
    int flags;
    int same;                           /* the caller is on that node already */
    pid_t parent;                       /* of who is to become the ghost */
    int rank;                           /* in a vector: to be told, and where it arrives, as told */
    int forks;                          /* see clonable.h */
    int ahead;                          /* the process is a stand-in: standin.h */
    struct depart_other *others;        /* of its vector; borrowed */
    unsigned other_count;
};

/* Opens the connection and asks. 0, or a negative errno with everything closed. Blocks. */
int depart_ask(struct depart *depart, move_kind kind, int node, int flags);

/* One without a connection. `parent` is the caller's: it is to leave itself. */
void depart_init(struct depart *depart, move_kind kind, int node, int flags);

/* Asks over depart->conn. 0/-errno. Blocks. */
int depart_ask_more(struct depart *depart);

/*
 * The same in two halves, for who has something to do meanwhile, or hands over at once. The first
 * one fails with -EPIPE if the daemon has gone, the second one blocks.
 */
int depart_ask_send(struct depart *depart);
int depart_ask_hear(struct depart *depart);

/* Makes the gate; and the one of who stays. 0/-errno. */
int depart_gate(struct depart *depart);
int depart_keep_gate(struct depart *depart);

/*
 * Hands gate, `extra` descriptors (extra_count of them) and streams to the daemon, for process
 * `pid`. Closes the far end of the gate here. 0/-errno.
 */
int depart_handover(struct depart *depart, int pid, const struct streams *set, const int *before,
                    unsigned before_count, int after);

/* What came of the handover, where the caller itself stays what it is. 0/-errno. Blocks. */
int depart_answer(int conn);

/* A message as one that came at a gate. 0, to be freed, or -EPROTO. */
int gate_read(const struct msg *msg, gate_msg *news);

/* The next message at the gate; frees nothing on failure. 0 or -errno. Blocks. */
int gate_hear(int gate, gate_msg *news);
void gate_msg_free(gate_msg *news);

/* Waits for the daemon's verdict. GATE_FAIL also when the daemon is gone. Blocks. */
gate_verdict gate_wait(int gate, int *node, int *rank);

/* What a ghost is told in its environment. */
struct ghost_environment {
    char node[40], parent[40], socket[160];     /* no address is as long as that */
    char *list[5];
};

/*
 * `parent` may be dead when it is executed. `ahead`: it says no P_GHOST_HELLO, and is to wait at
 * its gate for its process.
 */
void ghost_environment_fill(struct ghost_environment *environment, int node, pid_t parent,
                            int ahead);

/* Of one that is ahead: it finds its process running. Writes nothing else; for standin.h. */
void ghost_environment_runs(struct ghost_environment *environment);

/*
 * Replaces the program by the ghost, which shows `argv` (NULL: this process's own arguments) and
 * whose parent was `parent` when it left. All signals are to be blocked. Returns only when that
 * cannot be: -errno.
 */
int ghost_exec(int gate, pid_t parent, int node, char *const argv[]);

/*
 * This process's arguments as ps shows them, which ghost_exec() needs no memory of its own for when
 * it is given them; the caller frees the first of it, then the list. NULL: unknown.
 */
char **ghost_arguments(void);

void depart_close(struct depart *depart);

/* All signals blocked, the mask before in *before. Raw, because libc keeps some for itself. */
void signals_block(uint64_t *before);
void signals_restore(const uint64_t *before);
uint64_t signals_now(void);

#endif
