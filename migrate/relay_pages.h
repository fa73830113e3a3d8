/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pipe's bytes, cut only where no write(2) of up to PIPE_BUF bytes is cut.
 *
 * The kernel puts such a write into one page of the pipe, behind others if there is room for all of
 * it; a longer one fills page after page. So what lies in one page may go on as one record, whoever
 * else writes to where it goes. read(2) does not tell where pages end, but splice(2) moves whole
 * ones, at most as many as its target has slots, and copies nothing. If as many bytes have moved
 * into a pipe as fit there, all of its pages are full: they become one record, a run, which may be
 * cut between any two of them. Otherwise each goes through a pipe of one page alone. What waits is
 * taken in steps, by the largest of three pipes for which there is enough. Only beside pieces
 * larger than pages, as splice(2) puts them there from a socket, somebody's small write may be cut.
 *
 * Life: pages_init(); a pipe is made when as much waits for the first time, and is empty between
 * two calls; pages_free().
 */
#ifndef BPROC_RELAY_PAGES_H
#define BPROC_RELAY_PAGES_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGES_RECORD 4                      /* bytes in front of a record: its length */
#define PAGES_MANY 64                       /* pages moved at once */
#define PAGES_FEW 8                         /* the same when fewer wait */
#define PAGES_STEPS 3                       /* these, and one */
#define PAGES_RUN (PAGES_MANY * PIPE_BUF)   /* the longest run */
#define PAGES_ROOM (PAGES_MANY * (PIPE_BUF + 2 * PAGES_RECORD))

struct pages {
    int pipes[PAGES_STEPS][2];  /* by size, the largest first */
};

void pages_init(struct pages *pages);

/*
 * Reads what waits in the pipe `fd`, PAGES_RUN bytes at most, as records of 1 to PIPE_BUF bytes or
 * as a run, with their lengths in front; `records` has room for PAGES_ROOM. Returns the bytes put
 * there, *taken has how many of them came from the pipe; 0: it has ended; or -EAGAIN, or another
 * negative errno. Does not block.
 */
ssize_t pages_read(struct pages *pages, int fd, uint8_t *records, size_t *taken);

void pages_free(struct pages *pages);

#endif
