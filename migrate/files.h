/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files a process has mapped: which of them travel with it, and how the node recognises the
 * others. Made on the master by the mover before the dump; blocking.
 *
 * Life: files_collect() fills the table, files_open() gives the contents of one that is sent,
 * files_free() ends it.
 */
#ifndef BPROC_FILES_H
#define BPROC_FILES_H

#include <stddef.h>
#include <sys/types.h>

#include "proto/bproc.h"

/* A flag beside BPROC_DUMP_*: also what others than root might replace until it is needed. */
#define FILES_LASTING 0x10000

struct files {
    mapped_file *list;
    unsigned count;
    char (*sources)[64];        /* where each can be opened: below /proc/PID/map_files */
};

/*
 * The mapped files of `pid`; what matches a pattern of `libraries` is a library, `flags`
 * (BPROC_DUMP_*) say which classes are sent, `hash_dir` is where hashes are remembered between
 * transfers (in memory, root's). 0, or -errno with a reason.
 */
int files_collect(struct files *files, pid_t pid, int flags, const lib_list *libraries,
                  const char *hash_dir, char *text, size_t len);

/* A table of one: the executable behind `fd`, to be sent. As files_collect(). */
int files_single(struct files *files, int fd, const char *hash_dir, char *text, size_t len);

/* Opens the contents of entry `index` for reading; -errno. The caller closes it. */
int files_open(const struct files *files, unsigned index);

void files_free(struct files *files);

#endif
