/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files that an image names, opened as its owner would. Part of imageguest.h.
 */
#ifndef BPROC_IMAGEOPEN_H
#define BPROC_IMAGEOPEN_H

#include "migrate/imageguest.h"

/*
 * 0 when a child with the owner's rights alone, under guest->root, has opened all that were not
 * sent; their descriptors are in the list. -EPERM with the first that it may not open, -ENOTSUP
 * with one that it cannot for another reason, in text[len]; another -errno. Blocks as
 * imageguest_check().
 */
int imageopen_files(int dir_fd, const struct image_guest *guest, struct image_files *files,
                    char *text, size_t len);

#endif
