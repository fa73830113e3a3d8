/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether somebody in the process space waits to read from a pipe or socket, as the kernel shows
 * it in /proc/PID/syscall. A relay that must not take bytes unasked learns from this that it is
 * asked.
 *
 * Life: readers_open() with the object's identity, readers_wanted() as often as liked,
 * readers_close().
 */
#ifndef BPROC_READERS_H
#define BPROC_READERS_H

#include <stddef.h>
#include <sys/types.h>

struct readers;

/*
 * `root` is the space's root as seen from here, with its /proc below; `ino` the number of the
 * process's end, `dev` its device. NULL and errno. Does not block.
 */
struct readers *readers_open(const char *root, dev_t dev, ino_t ino);

/*
 * How many bytes at most the call takes in which some thread waits for the object just now, 0
 * when none does. One that only waits for something to be there counts as READERS_POLLS.
 */
size_t readers_wanted(struct readers *readers);

#define READERS_POLLS 65536

/* NULL is allowed. */
void readers_close(struct readers *readers);

#endif
