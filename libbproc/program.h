/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program that starts on a node in the place of a process here: what rexec, execmove and their
 * vector forms have in common.
 */
#ifndef BPROC_PROGRAM_H
#define BPROC_PROGRAM_H

#include "libbproc/depart.h"

struct program {
    move_kind kind;                     /* MOVE_REXEC, MOVE_EXECMOVE */
    const char *cmd;
    char *const *argv, *const *envp;
    int exe;                            /* the file that an execmove sends, program_open()'s; -1 */
    const struct io *io;
};

/*
 * The executable `cmd` for an execmove, opened by the caller himself: he may send only what he may
 * read and run. A descriptor, or -errno.
 */
int program_open(const char *cmd);

/*
 * Hands this process over, to become the program with `blocked` as signal mask. What came of it is
 * told at the gate and on depart->conn. 0/-errno.
 */
int program_hand_over(struct depart *depart, const struct program *program, uint64_t blocked);

/* The program on this node, in the place of the caller. Returns when that failed: -errno. */
int program_exec(const struct program *program);

#endif
