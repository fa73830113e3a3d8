/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Work that takes children, or a program in this process's place, while the caller is to notice
 * nothing of it: it is done in a child that is forked quietly and ends with it.
 */
#ifndef BPROC_QUIETWORK_H
#define BPROC_QUIETWORK_H

#include <signal.h>
#include <stdint.h>

/* What the caller had, for a program that is executed in the course of it. */
struct quietwork {
    int out;                            /* for the result; not to be closed */
    uint64_t mask;
    struct sigaction child;             /* of SIGCHLD */
};

/*
 * Runs work(was, arg) in the child, all signals blocked, descriptors 0 to 2 and the program's
 * others still open, connections of the library's closed. Its result is the result here; -EIO when
 * the child did not get to one; quietfork()'s errors. Blocks until then.
 */
int quietwork_run(int (*work)(const struct quietwork *was, void *arg), void *arg);

/* In a child of that child, before it executes a program: signals are the caller's again. */
void quietwork_leave(const struct quietwork *was);

#endif
