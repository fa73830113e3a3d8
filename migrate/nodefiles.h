/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mapped files of an arriving process, on the node: those that were sent come from the cache
 * (or are still needed), the others must be on the node as they are on the sender's machine.
 */
#ifndef BPROC_NODEFILES_H
#define BPROC_NODEFILES_H

#include <stddef.h>
#include <sys/types.h>

#include "migrate/filecache.h"
#include "migrate/imagecheck.h"
#include "proto/bproc.h"

struct nodefiles {
    unsigned count;
    const mapped_file *list;            /* borrowed */
    int fds[BPROC_MAX_FILES];           /* of sent files; -1: not there (yet), or not sent */
    unsigned need[BPROC_MAX_FILES];     /* indexes of those to be asked for */
    unsigned need_count;
};

/*
 * Looks all files up; `root` is the directory under which the process will see its files. `owner`
 * NULL: the list is to be believed; else only files that he may read are looked at, by a child
 * that has his rights. 0; -ENOEXEC with the file and the difference in text[len]; another -errno.
 * Blocks as the file system does, with an owner for OWNER_SECONDS at most.
 */
int nodefiles_check(struct nodefiles *files, const struct filecache *cache, const char *root,
                    const struct image_owner *owner, const mapped_file *list, unsigned count,
                    char *text, size_t len);

void nodefiles_free(struct nodefiles *files);

#endif
