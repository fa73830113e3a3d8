/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A block of memory with pointers into itself that can be read at another place, by a process that
 * has no heap: what is pointed to is in the block, and a pointer is an offset until it is settled.
 *
 * Life: a zeroed struct; flat_begin() with the object it is about, then flat_own() for each of its
 * pointers, and flat_end(); the bytes are copied to where they will be read, and flat_settle()
 * makes pointers of the offsets there. The next flat_begin() takes the same memory.
 */
#ifndef BPROC_SPACE_FLAT_H
#define BPROC_SPACE_FLAT_H

#include <stddef.h>

struct flat {
    char *bytes;                /* `len` of them, after flat_end() */
    size_t len, size;
    int error;                  /* there was no memory; nothing more is taken in */
};

/* Copies the object, whose pointers count for nothing yet. */
void flat_begin(struct flat *flat, const void *object, size_t len);

/* Offset of a member of the object, for flat_own(). */
size_t flat_member(size_t offset);

/*
 * Copies what the pointer at offset `slot` points to: `len` bytes, zeros if `data` is NULL. The
 * offset of the copy, for pointers in that.
 */
size_t flat_own(struct flat *flat, size_t slot, const void *data, size_t len);

/* 0, or -ENOMEM when something could not be taken in. */
int flat_end(const struct flat *flat);

/* Lets go of the memory if that is much. */
void flat_tidy(struct flat *flat);

/* The object, in bytes that are aligned as malloc()'s; once. Takes no memory. */
void *flat_settle(void *bytes);

/* The same, later on. */
void *flat_object(void *bytes);

#endif
