/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image that a node has sent, before CRIU, which is root and does what an image says, sees it.
 * What is not known to be harmless is refused: only the kinds of files that images of processes
 * have, only kinds of open files that give nobody a right, the namespaces that are there, and files
 * that the owner may open himself. These are opened as him, and CRIU is left no path to open.
 *
 * Life: imagecheck_owner() has said whose it is; imageguest_check() looks at the rest, has
 * imageopen_files() open the files and imagepin_files() name them by their descriptors. The caller
 * gives CRIU these, with the names that imagepin_key() tells, and frees the list.
 */
#ifndef BPROC_IMAGEGUEST_H
#define BPROC_IMAGEGUEST_H

#include <stddef.h>
#include <sys/types.h>

#include "migrate/imagecheck.h"
#include "migrate/imagekinds.h"
#include "migrate/nodefiles.h"

struct image_guest {
    struct image_owner owner;
    pid_t pid;
    const char *root;                   /* a way to the root under which CRIU opens files */
    const struct nodefiles *sent;       /* of these CRIU gets descriptors */
};

/*
 * 0 with the open files, for imagekinds_free(), on failure as well; -EPERM, or -ENOTSUP for a file
 * that is not there, with what is wrong in text[len]; -EPROTO if the image is none, -ENOMEM or the
 * errno of a file operation, then without a text. Forks a child for the files, and blocks until it
 * has opened them, for ten seconds at most.
 */
int imageguest_check(int dir_fd, const struct image_guest *guest, struct image_files *files,
                     char *text, size_t len);

#endif
