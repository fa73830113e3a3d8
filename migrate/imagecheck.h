/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image: whose it is. Before it is sent: between the daemon's look at a process and its dump
 * the process may have executed a set-uid program or one with capabilities, or have ended and
 * its number been given to another one; the image alone says what was dumped. Before one that
 * comes from a node is restored: there anything may be written in it.
 */
#ifndef BPROC_IMAGECHECK_H
#define BPROC_IMAGECHECK_H

#include <sys/types.h>

struct image_owner {
    uid_t uid;
    gid_t gid;
    const unsigned *groups;     /* supplementary ones */
    unsigned ngroups;
};

/*
 * 0 when every thread in the image at `dir_fd` has these user and group ids alone, of the groups
 * no other ones, and no capabilities, unless it is root's; -EPERM; -EPROTO if the image is none
 * or says something twice, -ENOMEM or the errno of a file operation. Does not block.
 */
int imagecheck_owner(int dir_fd, const struct image_owner *owner);

#endif
