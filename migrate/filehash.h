/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a file is: its SHA-256, or the build id that its linker gave it. Blocking.
 */
#ifndef BPROC_FILEHASH_H
#define BPROC_FILEHASH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define FILEHASH_LEN 32
#define FILEHASH_HEX (2 * FILEHASH_LEN + 1)

/* SHA-256 of a whole file; 0/-errno. */
int filehash_fd(int fd, uint8_t hash[FILEHASH_LEN]);

/*
 * The same, remembered below `dir` for as long as device, inode, size and both change times stay
 * as they are, or until another file takes the slot: their number is bounded. Failing to remember
 * is no error.
 */
int filehash_cached(const char *dir, int fd, const struct stat *st, uint8_t hash[FILEHASH_LEN]);

/* The GNU build id of an ELF file: its length, 0 if there is none (or it is no ELF file). */
size_t filehash_build_id(int fd, uint8_t *id, size_t max);

void filehash_hex(const uint8_t hash[FILEHASH_LEN], char hex[FILEHASH_HEX]);

#endif
