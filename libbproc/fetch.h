/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file of the master's for a process on a node: bproc-fetch, which a child of the process
 * executes on the master as the process's user, opens it and writes a fetch_head and the bytes to
 * its standard output; or it brings the file into the node's cache, by mapping it and moving there,
 * and writes the head alone.
 */
#ifndef BPROC_FETCH_H
#define BPROC_FETCH_H

#include <stdint.h>

#define FETCH_READ "read"               /* words of bproc-fetch: FETCH_READ PATH */
#define FETCH_CACHE "cache"             /* FETCH_CACHE PATH NODE */

struct fetch_head {
    int32_t error;                      /* 0, or an errno and no more */
    uint64_t size;
};

/*
 * The master's executable `path` goes to the end of `fd`, or with `fd` -1 any file into the cache
 * of the caller's node, number `node`. 0, or -errno: of the file, or as for bproc_rexec(). Blocks.
 */
int fetch_file(const char *path, int node, int fd);

#endif
