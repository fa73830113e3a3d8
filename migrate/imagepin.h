/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of an image that are open already: it names them so that CRIU takes these and opens
 * none itself, which a user could have changed meanwhile. Part of imageguest.h.
 */
#ifndef BPROC_IMAGEPIN_H
#define BPROC_IMAGEPIN_H

#include "migrate/imagekinds.h"

/*
 * Gives all but those that were sent another name, which is no path of any file, and lets CRIU make
 * no file. 0; -EPROTO if the image is none, -ENOMEM, or the errno of a file operation. Does not
 * block.
 */
int imagepin_files(int dir_fd, struct image_files *files);

/* What the file's descriptor is called in a request to CRIU. */
void imagepin_key(const struct image_file *file, char *key, size_t len);

#endif
