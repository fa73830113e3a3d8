/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting what a P_LAUNCH_EXEC or P_LAUNCH_CRIU message asks for, as a child of the caller: the
 * space's init or a keeper. It returns as soon as the fork is done; an exec's failure arrives at
 * the status socket of the message, CRIU's is the end of the hand-off socket.
 */
#ifndef BPROC_SPACE_LAUNCH_H
#define BPROC_SPACE_LAUNCH_H

#include "proto/msg.h"

struct launch {
    pid_t pid;          /* the process to come */
    pid_t ppid;         /* its parent's number */
    uid_t puid;         /* whose that is */
    pid_t pgid, sid;
    pid_t session;      /* the one it is launched in */
    pid_t worker;       /* CRIU, when it is CRIU that makes the process; else 0 */
};

/*
 * In init, where the node's own files are seen: keeps what is loaded into CRIU (criuready.h), which
 * is found wherever processes have their files. 0 or -errno: no process can be restored.
 */
int launch_init(void);

/* Reads who is to be launched. 0, or -EPROTO. */
int launch_parse(const struct msg *msg, struct launch *launch);

/*
 * Launches; `group` is the process group for one whose own cannot be had (0: one for itself).
 * The message's descriptors stay the caller's. 0; -EEXIST when the number is in use, another
 * -errno.
 */
int launch_start(const struct msg *msg, pid_t group, struct launch *launch);

#endif
