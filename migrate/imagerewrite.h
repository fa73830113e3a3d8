/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image file written anew with some of its fields changed. An editor gets each record, or each
 * message inside one, and puts all of its fields, the changed ones and the others, at the end of
 * `out`: there is room for four times what it was given. Nothing here blocks.
 */
#ifndef MIGRATE_IMAGEREWRITE_H
#define MIGRATE_IMAGEREWRITE_H

#include "migrate/imagefile.h"

/* 0 or -errno; of files the caller's `arg`. */
typedef int record_editor(struct bytes record, const void *arg, struct bytes *out);

/* 0; -EPROTO if it is no image, -ENOMEM, what the editor said, or a file operation's errno. */
int imagerewrite_file(int dir_fd, const char *name, record_editor *edit, const void *arg);

/* The field that is a message, edited. As above. */
int imagerewrite_inside(const struct field *field, record_editor *edit, const void *arg,
                        struct bytes *out);

void imagerewrite_bytes(struct bytes *out, const void *bytes, size_t len);
void imagerewrite_number(struct bytes *out, unsigned field, uint64_t value);

/* The head of a field of `len` bytes, which the caller puts behind it. */
void imagerewrite_head(struct bytes *out, unsigned field, size_t len);

#endif
