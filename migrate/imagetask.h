/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process in an image that a node has sent: one, in the namespaces that are there, with memory
 * of known kinds, and no more of the machine than its owner could have. Part of imageguest.h.
 */
#ifndef BPROC_IMAGETASK_H
#define BPROC_IMAGETASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum image_mapping {
    MAPPED_READABLE,
    MAPPED_WRITABLE,                    /* so that what is written gets into the file */
    MAPPED_PROGRAM                      /* the one that it executes */
};

struct image_task {
    pid_t pid;
    bool is_root;
    /* Told of each file that is mapped; 0/-errno. */
    int (*mapped)(void *arg, uint32_t id, enum image_mapping how);
    void *arg;
};

/* Results as imageguest_check(). Does not block. */
int imagetask_check(int dir_fd, const struct image_task *task, char *text, size_t len);

#endif
