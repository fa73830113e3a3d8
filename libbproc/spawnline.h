/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection to the daemon over which a tool hands over all of its children (spawn.h).
 *
 * Life: SPAWNLINE_NONE; spawnline_open() with the first child; each handover has a serial of its
 * own, and spawnline_hear() gives the answers as they come, in any order. A daemon that goes away
 * ends it, and the next child opens another one. spawnline_close() when no answer is waited for any
 * more: a user may have so many connections only.
 */
#ifndef BPROC_SPAWNLINE_H
#define BPROC_SPAWNLINE_H

#include <stddef.h>
#include <stdint.h>

#include "libbproc/streams.h"
#include "proto/frame.h"

struct spawnline {
    int conn;                           /* -1: there is none */
    struct streams *set;                /* room for those of a child */
    uint32_t serial;                    /* of the last question */
    size_t len;                         /* of answers, the last of which may not be whole yet */
    uint8_t bytes[2 * (FRAME_PREFIX + BPROC_MAX_TEXT)];
};

#define SPAWNLINE_NONE { .conn = -1 }

/* Of a handover: 0 when the program runs, or a negative errno as of bproc_rexec(). */
struct spawnline_answer {
    uint32_t serial;
    int error;
};

/* Connects unless it is connected. 0, or a negative errno as of client_open(). */
int spawnline_open(struct spawnline *line);

/*
 * The next answer: 1; 0 when no more has come; or a negative errno: the daemon is gone, what has
 * not been answered will not be, and the line is closed; -ECONNRESET: nor has the daemon read all,
 * so nothing comes of the last question. Does not block.
 */
int spawnline_hear(struct spawnline *line, struct spawnline_answer *answer);

/* Until there is something to be heard: 0, or as above, with the line left open. Blocks. */
int spawnline_wait(const struct spawnline *line);

void spawnline_close(struct spawnline *line);

#endif
