/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting what a P_LAUNCH_EXEC or P_LAUNCH_CRIU message asks for, as a child of a keeper or of the
 * space's init. Init reads the message and writes down what is to be (program.h) on its *paper*, a
 * file of memory, since what is to be read may be long and must not be read twice. Who is to be the
 * parent gets that with the other descriptors, reads it and forks, before init does anything else.
 */
#ifndef BPROC_SPACE_LAUNCH_H
#define BPROC_SPACE_LAUNCH_H

#include "migrate/space/errand.h"
#include "migrate/space/room.h"
#include "proto/msg.h"

struct launch {
    pid_t pid;          /* the process to come */
    pid_t ppid;         /* its parent's number */
    uid_t puid;         /* whose that is */
    pid_t pgid, sid;
    pid_t session;      /* the one it is launched in */
    pid_t worker;       /* CRIU, when it is CRIU that makes the process; else 0 */
    struct errand errand;       /* for who launches; of kind 0 when there is nothing to do */
    int fds[BPROC_MAX_FDS];     /* for that: the paper, then the message's; borrowed */
    unsigned nfds;
};

/*
 * In init, where the node's own files are seen: keeps what is loaded into CRIU (criuready.h), which
 * is found wherever processes have their files. 0 or -errno: no process can be restored.
 */
int launch_init(void);

/* Reads who is to be launched. 0, or -EPROTO. */
int launch_parse(const struct msg *msg, struct launch *launch);

/*
 * Writes down how, for the errand. The message's descriptors stay the caller's. 0; -EPROTO,
 * -ENOMEM, what reading the specification said.
 */
int launch_write(const struct msg *msg, struct launch *launch);

/* It has been read, or is not going to be: what is written is not kept if it is much. */
void launch_forget(void);

/* Nobody is to launch it any more, though somebody may have been asked to. */
void launch_revoke(void);

/*
 * Who launches: runs the errand, and fills in *report; `group` is the process group for one whose
 * own cannot be had (0: one for itself). It returns as soon as the fork is done; what was started
 * waits in *room until room_release(). The descriptors stay the caller's. 0;
 * -EEXIST when the number is in use, another -errno. An errno of what follows comes at the status
 * socket, CRIU's is the end of the hand-off socket. Takes no memory of the heap, nor blocks.
 */
int launch_start(const struct errand *errand, int *fds, unsigned nfds, pid_t group,
                 struct report *report, struct room **room);

#endif
