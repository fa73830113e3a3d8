/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What a node sees as its files. Made once at each boot, inside the node's fresh mount, pid and
 * network namespaces: overlays of the host's filesystems with what the node writes kept on its
 * disk, fresh kernel filesystems, a tmpfs /run, and the host's tree let go of at the end, so that
 * neither side sees the other's mounts. The disk outlives the node's namespaces and is used again
 * at the next boot.
 */

#ifndef BPROC_LAB_VIEW_H
#define BPROC_LAB_VIEW_H

enum { VIEW_DIRS_MAX = 32 };

struct view {
    const char *nodedir;              /* holds disk/, log/ and the mount point root/ */
    const char *stage;                /* tree to lay over the host's, or NULL */
    const char *layers[VIEW_DIRS_MAX]; /* host mount points to lay an overlay over, NULL ends */
    const char *binds[VIEW_DIRS_MAX]; /* host directories to share with the host, NULL ends */
    const char *owns[VIEW_DIRS_MAX];  /* directories kept on the disk alone, NULL ends */
};

/* Builds the view and makes it the root of the calling process, which must be alone in its mount
 * namespace and the first of its pid namespace. Ends the process with a message on failure. */
void view_enter(const struct view *view);

#endif
