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

struct image_task {
    pid_t pid;
    bool is_root;
    /* Told of each file that is mapped, with the flags it is opened with; 0/-errno. */
    int (*mapped)(void *arg, uint32_t id, uint32_t flags);
    void *arg;
};

/* Results as imageguest_check(). Does not block. */
int imagetask_check(int dir_fd, const struct image_task *task, char *text, size_t len);

#endif
