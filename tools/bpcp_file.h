/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that is being written by a copy, in place: what is there already keeps its mode, its owner
 * and its links, and if it is the very file that is being read nothing is lost.
 *
 * Life: file_open(), file_write() for each range in ascending order, file_close(). The first
 * failure is reported; from then on the file takes everything and writes nothing. file_abandon() if
 * the end does not come.
 */
#ifndef TOOLS_BPCP_FILE_H
#define TOOLS_BPCP_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "proto/copy.h"
#include "tools/bpcp_report.h"

struct file {
    char path[PATH_MAX];
    int fd;                 /* -1: not open, or failed */
    bool regular;
    off_t old_size;         /* what it had before */
    off_t end;              /* of the last range */
    unsigned mode;
    struct timespec times[2];
};

/* Blocks, on a pipe until somebody reads. */
void file_open(struct file *file, const char *path, const copy_entry *entry,
               struct report *report);

void file_write(struct file *file, off_t offset, const void *bytes, size_t count,
                struct report *report);

/*
 * The descriptor of a regular file whose next range begins at `offset`, for somebody else to write
 * there, who tells file_reached() how far he came. -1 if there is none, or if it has failed.
 */
int file_reach(struct file *file, off_t offset, struct report *report);
void file_reached(struct file *file, off_t offset);

/* Ends it at `end->size`; with `preserve` it gets the mode and times it came with. */
void file_close(struct file *file, const copy_file_end *end, bool preserve, struct report *report);

/* Leaves it as it is, when nothing more comes. */
void file_abandon(struct file *file);

#endif
