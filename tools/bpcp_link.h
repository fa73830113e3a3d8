/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the stream gets from one target to the next: a child of the first goes to the other's node
 * and hands the reading end of its standard input to the target there, which waits for it at a
 * listener. So bytes go from node to node, by the streams that every process has, and nobody
 * copies them once more.
 *
 * Life on the near side: link_start(), then the stream is written to `fd`; link_end() when the
 * child has ended or nothing more is to be sent. The child, link_child_main(), ends when the far
 * side lets go. On the far side: listener_open(), listener_accept(), and what it gives is read to
 * its end; the socket that came with it is held open meanwhile.
 */
#ifndef TOOLS_BPCP_LINK_H
#define TOOLS_BPCP_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/copy.h"

/* Of pipes that the stream goes through, in bytes: more at once, fewer processes woken. */
#define LINK_PIPE (1 << 20)

struct link {
    int fd;                 /* where the stream is written to; -1: there is no link */
    int child;              /* readable when the child has ended; -1 */
    pid_t pid;
    uint64_t pos;           /* of what is written next */
};

#define LINK_NONE ((struct link) { .fd = -1, .child = -1 })

/*
 * Starts a link to the target that listens as `word` says, which gets the stream from word->number
 * on. 0 or -errno. That it cannot be made shows by the child's end. Does not block.
 */
int link_start(struct link *link, const copy_word *word);

/* Has the child ended? Then it is reaped. Does not block. */
bool link_over(const struct link *link);

/* Lets go of it; a child that has not ended ends when the far side does. */
void link_end(struct link *link);

/* The child on the far side: bproc-copy link NAME POSITION. Exit status. Blocks. */
int link_child_main(int argc, char **argv);

/* A listener at an address of its own, which goes to `name`. Descriptor or -errno. */
int listener_open(char name[COPY_NAME_LEN]);

/*
 * Takes what a child of the caller's user hands over at position `pos`. 1 with *stream and *hold,
 * to be closed by the caller; 0 if somebody came who has no business here; -errno. Blocks until
 * somebody comes.
 */
int listener_accept(int listener, uint64_t pos, int *stream, int *hold);

#endif
