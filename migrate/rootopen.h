/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files as processes see them that have another root and, perhaps, mounts of their own. */
#ifndef BPROC_ROOTOPEN_H
#define BPROC_ROOTOPEN_H

/*
 * Opens `path` under `root`, which is left neither by symbolic links nor upwards; what is open
 * belongs to the mounts that are seen through `root`. `flags` as for open(), without O_CREAT and
 * with O_CLOEXEC. A descriptor or -errno.
 */
int rootopen(const char *root, const char *path, int flags);

#endif
