/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a process that is launched becomes: a program by its specification, or a CRIU that restores
 * one. The child sets itself up in its room (room.h), with nothing but what is written there.
 *
 * Life: init makes a struct program out of what it is asked and has it in a flat (flat.h), as
 * whoever forks the child has no heap. That one puts it into a room, settles it, adds what only he
 * knows, and starts program_run(). It does not execute before its parent has answered for it.
 */
#ifndef BPROC_SPACE_PROGRAM_H
#define BPROC_SPACE_PROGRAM_H

#include "migrate/space/flat.h"
#include "migrate/space/group.h"
#include "migrate/space/room.h"
#include "proto/msg.h"

enum { PROGRAM_SPEC, PROGRAM_STATUS };      /* indexes of a P_LAUNCH_EXEC's descriptors */
enum { PROGRAM_HANDOFF = 1, PROGRAM_FDS };  /* of those for CRIU */

struct program {
    launch_exec_arg arg;
    exec_spec spec;
    char **argv, **envp;
    bool is_worker;             /* CRIU, which has no status pipe and stays root's */
    /* by who forks: */
    struct group group;
    int fds[BPROC_MAX_FDS];
    unsigned nfds;
    pid_t parent;
};

/*
 * Reads what a P_LAUNCH_EXEC or a P_LAUNCH_CRIU asks for. 0; -EPROTO, -ENOMEM, what reading the
 * specification said. Does not block.
 */
int program_read(const struct msg *msg, struct flat *flat);

/* The child. An errno of what it does comes at the status pipe. */
void program_run(struct room *room) __attribute__((noreturn));

#endif
