/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The records of a copy on their way through a pipe: proto/copy.x says what they are.
 *
 * Life of the sending side: stream_put_head() once, then stream_put() and, behind COPY_DATA,
 * stream_put_bytes(); fflush(). Of the receiving side: stream_get_head(), then stream_get() until
 * COPY_END, with stream_free() for each record, and stream_get_bytes() behind COPY_DATA.
 *
 * All block. Putting gives 0 or -errno, which is -EPIPE when nobody reads any more. Getting gives
 * 0, -ENODATA when the stream is over where something could have begun, and -EPROTO when it is cut
 * short or holds what is no record.
 */
#ifndef TOOLS_BPCP_STREAM_H
#define TOOLS_BPCP_STREAM_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "proto/copy.h"

/* Where a stream comes from: gives some of its next bytes, 0 at its end, or -errno. */
struct stream_in {
    ssize_t (*read)(void *arg, void *bytes, size_t most);
    void *arg;
};

int stream_put_head(FILE *out, uint64_t bytes);
int stream_put(FILE *out, const copy_record *record);
int stream_put_bytes(FILE *out, const void *bytes, size_t count);

/* Also -EPROTONOSUPPORT: the other end is of another version. */
int stream_get_head(const struct stream_in *in, copy_head *head);

/* The head out of its COPY_HEAD_LEN bytes; -EPROTO, -EPROTONOSUPPORT. Does not block. */
int stream_parse_head(const void *bytes, copy_head *head);

/* A record that was got is within all bounds, COPY_MAX_DATA included; its name is no path. */
int stream_get(const struct stream_in *in, copy_record *record);
int stream_get_bytes(const struct stream_in *in, void *bytes, size_t count);
void stream_free(copy_record *record);

/*
 * The number of a file that nobody has use for, see proto/copy.x, from a descriptor that is
 * readable; 0 when nothing more comes.
 */
uint32_t stream_get_refusal(int fd);

#endif
