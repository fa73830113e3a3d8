/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files without a name, whose bytes are in an image: made anew in the folder where they were, as
 * the one who opens them. Part of imageopen.h.
 *
 * Life: nameless_begin() while it is still root; then nameless_open() for each that is open, the
 * first of those that are the same file makes it; nameless_finish(). What is left open goes with
 * the process.
 */
#ifndef BPROC_IMAGENAMELESS_H
#define BPROC_IMAGENAMELESS_H

#include "migrate/imagekinds.h"

struct nameless {
    int proc;                           /* our own /proc/self/fd */
    int *images;                        /* for each file of the list; -1 */
    struct image_files *files;
};

/* All: 0 or -errno. Reading and writing files is all they wait for. */
int nameless_begin(struct nameless *nameless, int dir_fd, struct image_files *files);

/* `flags` as open() takes them. A descriptor, the caller's. */
int nameless_open(struct nameless *nameless, struct image_file *file, int flags);

int nameless_finish(struct nameless *nameless);

#endif
