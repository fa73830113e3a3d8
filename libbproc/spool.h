/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An image that comes from a pipe, a socket or a terminal, in a file that is nowhere but in the
 * caller's memory: whoever writes it may take his time, or never come to an end, at the caller's
 * expense and not at the daemon's.
 */
#ifndef BPROC_SPOOL_H
#define BPROC_SPOOL_H

/*
 * A close-on-exec descriptor for an image that is read from `fd`: another one of the same file, or
 * of one in memory. The caller closes it. -ENOEXEC: what comes is no image; another -errno. Blocks
 * until the image's last byte has come; no byte after that is read.
 */
int spool_open(int fd);

#endif
