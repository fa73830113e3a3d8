/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What processes that are launched see as their files: a mount namespace. At first the space's own;
 * after a chroot of the node another one, made beside it. Those that run keep theirs, and a
 * namespace goes with its last process. init holds the present one at a descriptor of a fixed
 * number, where those find it who launch.
 */
#ifndef BPROC_SPACE_ROOTNS_H
#define BPROC_SPACE_ROOTNS_H

#include <stddef.h>

/* In init, with its own namespace complete and no descriptor open but 0 to 3. 0 or -errno. */
int rootns_init(void);

/*
 * In init: from now on `root` of the mount namespace `node_ns` is the root, as mounts_make() makes
 * one; NULL: that namespace's own. The new root's descriptor, or -errno with the path concerned in
 * what[len], and then nothing has changed. Blocks for the mounts.
 */
int rootns_change(const char *root, char *const *binds, unsigned count, int node_ns, char *what,
                  size_t len);

/* In a child of whatever launches, which may share its memory: goes there. 0 or -errno. */
int rootns_enter(void);

#endif
