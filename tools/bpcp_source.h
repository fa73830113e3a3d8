/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reading end of a copy: walks files and directories and puts them on a stream. Links are
 * followed. What cannot be read is reported and left out.
 */
#ifndef TOOLS_BPCP_SOURCE_H
#define TOOLS_BPCP_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/bpcp_report.h"

struct source {
    FILE *out;
    int refusals;           /* descriptor they come from; -1: none do */
    uint32_t number;        /* of the last file; 0 at the start */
    bool recurse;           /* take directories */
    bool total;             /* say first how much it will be */
    uint64_t bytes;         /* that much; 0 at the start */
    struct report report;
};

/*
 * Sends `paths` (ended by NULL) from the head to COPY_END. One that does not exist as it is written
 * may be a pattern. 0, or -errno when the stream cannot go on. Blocks.
 */
int source_send(struct source *source, char **paths);

#endif
