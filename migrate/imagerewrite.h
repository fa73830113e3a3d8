/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image file written anew with some of its fields changed. An editor gets each record, or each
 * message inside one, and writes all of its fields, the changed ones and the others, to `out`, a
 * stream in memory: that writing there fails is found at the end. Nothing here blocks.
 */
#ifndef MIGRATE_IMAGEREWRITE_H
#define MIGRATE_IMAGEREWRITE_H

#include <stdio.h>

#include "migrate/imagefile.h"

/* 0 or -errno; of files the caller's `arg`. */
typedef int record_editor(struct bytes record, const void *arg, FILE *out);

/* 0; -EPROTO if it is no image, -ENOMEM, what the editor said, or a file operation's errno. */
int imagerewrite_file(int dir_fd, const char *name, record_editor *edit, const void *arg);

/* A field that is a message, edited. As above. */
int imagerewrite_inside(unsigned field, struct bytes message, record_editor *edit,
                        const void *arg, FILE *out);

void imagerewrite_bytes(FILE *out, const void *bytes, size_t len);
void imagerewrite_number(FILE *out, unsigned field, uint64_t value);

/* The head of a field of `len` bytes, which the caller writes behind it. */
void imagerewrite_head(FILE *out, unsigned field, size_t len);

#endif
