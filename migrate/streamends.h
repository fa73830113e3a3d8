/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a process gets on the node for each of its streams: one end of a fresh pipe or socket pair,
 * whose other end the relay serves.
 */
#ifndef BPROC_STREAMENDS_H
#define BPROC_STREAMENDS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/bproc.h"

/* What an open file is known by in /proc. */
struct end_identity {
    dev_t dev;
    ino_t ino;
};

struct streamends {
    unsigned count;
    int process[BPROC_MAX_STREAMS];     /* given to the process */
    int relay[BPROC_MAX_STREAMS];       /* ours; -1 where the process talks to the port itself */
    struct end_identity identity[BPROC_MAX_STREAMS];    /* of what the process reads */
};

/*
 * Makes the ends. `direct_addr` is the caller's machine (host byte order) when the process connects
 * back itself (`io direct`), else 0. 0/-errno with a reason. May block for a direct connection.
 */
int streamends_make(struct streamends *ends, const launch_arg *launch, uint32_t direct_addr,
                    char *text, size_t len);

/* After the launch: the process has its own copies. */
void streamends_release_process(struct streamends *ends);

void streamends_free(struct streamends *ends);

#endif
