/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dumped image, before it is sent: whose it is. Between the daemon's look at a process and its
 * dump the process may have executed a set-uid program or one with capabilities, or have ended and
 * its number been given to another one; the image alone says what was dumped.
 */
#ifndef BPROC_IMAGECHECK_H
#define BPROC_IMAGECHECK_H

#include <sys/types.h>

/*
 * 0 when every thread in the image at `dir_fd` has no other user ids than `uid`, no other group
 * ids, apart from supplementary ones, than `gid`, and no capabilities unless it is root's; -EPERM;
 * -EPROTO if the image is none, -ENOMEM or the errno of a file operation. Does not block.
 */
int imagecheck_owner(int dir_fd, uid_t uid, gid_t gid);

#endif
