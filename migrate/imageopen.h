/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files that an image names, opened as its owner would.
 */
#ifndef BPROC_IMAGEOPEN_H
#define BPROC_IMAGEOPEN_H

#include <stddef.h>
#include <stdint.h>

#include "migrate/imageguest.h"

enum image_use {
    USE_OPEN,                           /* with `flags` */
    USE_ENTER,                          /* a folder to be in */
    USE_CREATE                          /* one to make a file in */
};

struct image_want {
    char *path;
    uint32_t flags;
    enum image_use use;
};

/*
 * 0 when a child with the owner's rights alone, under guest->root, can do with all of them what is
 * wanted; -EPERM with the first that it may not, -ENOTSUP with one that it cannot for another
 * reason, in text[len]; another -errno. Blocks as imageguest_check().
 */
int imageopen_check(const struct image_guest *guest, const struct image_want *wants, unsigned count,
                    char *text, size_t len);

#endif
