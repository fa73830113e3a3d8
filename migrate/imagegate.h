/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds CRIU's restore back until the image is whole.
 *
 * What CRIU does before it reads the first word of an image takes it as long as a small image is on
 * its way. The first word is that of the inventory, so that is a pipe at first: imagegate_make()
 * makes it; CRIU is asked for the restore and waits for something to read; what comes for an
 * inventory is kept under another name (imagegate_name()), and imagegate_open() writes it into the
 * pipe. The pipe's descriptor is the caller's, to be closed when CRIU has answered; that it is
 * closed before tells CRIU that there is no image. Nothing here blocks.
 */
#ifndef BPROC_IMAGEGATE_H
#define BPROC_IMAGEGATE_H

/* In a directory without an image: a descriptor, or -errno. */
int imagegate_make(int dir_fd);

/* What an image file is to be called in a directory with a gate. */
const char *imagegate_name(const char *name);

/* 0, or -errno: -ENOENT when no inventory has come. */
int imagegate_open(int dir_fd, int gate);

#endif
