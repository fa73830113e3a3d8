/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * On which nodes a process number is in use, so that nobody has to ask each node of thousands. The
 * process table enters what it has and takes it out again; mostly a number is on one node.
 */
#ifndef MASTERD_PIDINDEX_H
#define MASTERD_PIDINDEX_H

/* 0 or -ENOMEM. Each pair once. */
int pidindex_add(int pid, int node);
void pidindex_remove(int pid, int node);

/* The lowest node above `after` that has the number, or PIDINDEX_END; begin with PIDINDEX_START. */
#define PIDINDEX_START (-1000)
#define PIDINDEX_END (-1001)
int pidindex_next(int pid, int after);

#endif
