/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The writing end of a copy: makes files and directories of what comes on a stream. The other end
 * may run on a machine that is trusted less, so only what was asked for is taken from it.
 */
#ifndef TOOLS_BPCP_TARGET_H
#define TOOLS_BPCP_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tools/bpcp_report.h"
#include "tools/bpcp_stream.h"

struct target {
    struct stream_in in;
    void (*refuse)(void *arg, uint32_t number); /* the rest of a file; NULL: nobody cares */
    /* Bytes of `in` straight to a file, as flow_move(); NULL: all are read. */
    ssize_t (*move)(void *arg, int fd, off_t *offset, size_t most, bool more);
    void *arg;              /* of refuse() and move() */
    const char *path;
    bool directory;         /* it has to be one already */
    bool preserve;          /* modes and times */
    bool beside;            /* the source is on this machine */
    const char *suffix;     /* of the names in it, "" */
    char **asked;           /* name_of_copy() of what was asked for, ended by NULL */
    struct report report;
    bool is_dir;            /* target_check() has found so */
};

/* Is the target as it has to be? Reports it if not. */
bool target_check(struct target *target);

/*
 * Takes a stream to its end, if target_check() has said so. What fails is reported and the rest
 * goes on. 0; -ENODATA when nothing came at all, -EPROTO when the stream broke off or is none,
 * -EPROTONOSUPPORT. Blocks.
 */
int target_receive(struct target *target);

#endif
