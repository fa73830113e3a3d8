/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The node's cache of files that came with processes. A file is named by the SHA-256 of its
 * contents; what stands in the cache is whole and true to its name. Over its size limit the least
 * recently used files go (filecache_trim()), but none that a process has mapped: CRIU cannot dump a
 * mapping of a file of root's that has no name in a way that another machine could believe.
 * Blocking.
 */
#ifndef BPROC_FILECACHE_H
#define BPROC_FILECACHE_H

#include <stddef.h>
#include <stdint.h>

#include "migrate/filehash.h"

struct filecache {
    const char *dir;                /* borrowed; here and in the process space the same */
    const char *root;               /* borrowed; that space's, for filecache_open() alone */
    uint64_t limit;                 /* bytes */
};

/*
 * Opens a cached file for reading and marks it used; -ENOENT when the cache has not got it. It is
 * not removed as long as the descriptor is open. It is open by a mount of the process space, as
 * CRIU looks for that when the process that has it mapped is to go on.
 */
int filecache_open(const struct filecache *cache, const uint8_t hash[FILEHASH_LEN]);

/*
 * A file to be filled: its descriptor, and its name, which filecache_keep() or filecache_drop()
 * takes. Kept, it is not removed as long as the descriptor is open. -ENOSPC when `size` is more
 * than the limit or than the file system has.
 */
int filecache_create(const struct filecache *cache, uint64_t size, char name[64]);

/* Checks the contents against `hash` and takes the file in. 0; -EBADMSG; another -errno. */
int filecache_keep(const struct filecache *cache, int fd, const char *name,
                   const uint8_t hash[FILEHASH_LEN]);

/*
 * Removes files over the limit, but none that is in use: while the processes of a node have more
 * than that mapped the cache holds it, as the disk would without their names. 0 or -errno.
 */
int filecache_trim(const struct filecache *cache);

/* Removes all files but those in use and those that are just coming in. 0 or -errno. */
int filecache_purge(const struct filecache *cache);

/*
 * Keeps everybody else from what is done under this lock: changes of the cache, and what restores
 * on this machine must not do side by side. A descriptor that holds it until it is closed, or
 * -errno. Waits for whoever has it.
 */
int filecache_lock(const struct filecache *cache);

void filecache_drop(const struct filecache *cache, const char *name);

/* Path of a cached file in the process space. */
void filecache_path(const struct filecache *cache, const uint8_t hash[FILEHASH_LEN], char *path,
                    size_t len);

#endif
