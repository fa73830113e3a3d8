/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The contents of large files, which a target has no need to look at: from the pipe they come out
 * of straight to the file, and to the next target without a copy of their own, as pages that both
 * pipes have. So the processor touches them once here.
 *
 * What is in the pipe goes to the link first, all of it, heads of records included; the link is
 * ahead of the target then, until that has taken as much. A pipe is not emptied as it fills: on
 * a slow link that would wake three processes for each packet.
 */
#ifndef TOOLS_BPCP_FLOW_H
#define TOOLS_BPCP_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Moves the next bytes of the stream, at most `most`, to *offset of the regular file `fd`, and
 * *offset behind them. Their number; 0 if some have to be read instead; -errno if nothing can be
 * moved there. `more`: what follows the next head will be moved as well. `feed` is a struct feed.
 * Blocks until something comes.
 */
ssize_t flow_move(void *feed, int fd, off_t *offset, size_t most, bool more);

#endif
