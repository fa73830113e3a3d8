/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes of this node that run before all of their memory is there, and what is to become of
 * them if who brings it and the ward of that (migrate/memoryward.h) are both killed: with the last
 * descriptor of a userfaultfd the kernel would give zeros for what is missing, so that slaved has
 * them as well. When slaved itself is killed, so are its processes.
 *
 * Life: lacking_new() before the process runs, which starts a thread, as what that does may have to
 * wait for the process: it takes what it is told of over the socket, the memories of the process's
 * children, too. P_LACK_OVER ends it. If the socket ends without, the thread kills the process with
 * its descendants, and answers whoever still asks for a page by SIGBUS until none of these memories
 * is there any more. A child that is being forked is told of when the fork is through: who kills
 * both in that very moment is faster than that.
 */
#ifndef BPROC_SLAVED_LACKING_H
#define BPROC_SLAVED_LACKING_H

#include "common/conn.h"

/*
 * P_LACK, from `conn`: takes its descriptors; the answer goes over its socket. 0 or -EPROTO. If no
 * thread can be started the socket is closed, and the process is never let go. Does not block.
 */
int lacking_new(const struct frame_header *header, const uint8_t *body, int *fds);

#endif
