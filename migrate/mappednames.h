/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files the processes of this machine have mapped, by the last parts of their names. */
#ifndef BPROC_MAPPEDNAMES_H
#define BPROC_MAPPEDNAMES_H

/*
 * Calls `found` with each, as often as it is mapped; for a file that has lost its name that goes
 * on with " (deleted)". 0, or the errno of looking at /proc. As long as it takes the kernel to tell
 * of all mappings of the machine.
 */
int mappednames_visit(void (*found)(const char *name, void *arg), void *arg);

#endif
