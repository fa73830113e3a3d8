/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files that processes of the space see: the node's own, or a folder that serves as their root
 * with what the system needs bound into it. Called once, by init, in a mount namespace of its own
 * that it was started in. Blocks on the file system.
 */
#ifndef BPROC_SPACE_MOUNTS_H
#define BPROC_SPACE_MOUNTS_H

/*
 * Cuts the mounts off from the node's, changes the root to `root` (NULL: stays) after binding
 * binds[0…count-1] into it at the same paths, and mounts a /proc that shows the space.
 * 0, or -errno with what failed in *what (a literal or one of the arguments).
 */
int mounts_make(const char *root, char *const *binds, unsigned count, const char **what);

/* Lays the subfolder "home" of `folder` over it. As mounts_make(). */
int mounts_home(const char *folder, const char **what);

#endif
