/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/frame.h"
#include "tools/bpcp_stream.h"

int stream_put_bytes(FILE *out, const void *bytes, size_t count)
{
    errno = EIO;
    return fwrite(bytes, 1, count, out) == count ? 0 : -errno;
}

int stream_put_head(FILE *out, uint64_t bytes)
{
    copy_head head = { .magic = COPY_MAGIC, .release = COPY_RELEASE, .bytes = bytes };
    uint8_t *encoded;
    size_t len;
    int error = frame_encode(FRAME_XDR(copy_head), &head, COPY_HEAD_LEN, &encoded, &len);

    if (error)
        return error;
    error = stream_put_bytes(out, encoded, len);
    free(encoded);
    return error;
}

int stream_put(FILE *out, const copy_record *record)
{
    uint32_t mark;
    uint8_t *encoded;
    size_t len;
    int error = frame_encode(FRAME_XDR(copy_record), record, COPY_MAX_RECORD, &encoded, &len);

    if (error)
        return error;
    mark = htonl((uint32_t)len);
    error = stream_put_bytes(out, &mark, sizeof(mark));
    if (!error)
        error = stream_put_bytes(out, encoded, len);
    free(encoded);
    return error;
}

/* Where the stream may be over. */
static int first_get(const struct stream_in *in, void *bytes, size_t count)
{
    size_t got = 0;
    ssize_t n = 1;

    while (got < count && n > 0) {
        n = in->read(in->arg, (char *)bytes + got, count - got);
        if (n > 0)
            got += (size_t)n;
    }
    if (got == count)
        return 0;
    return got == 0 ? -ENODATA : -EPROTO;
}

int stream_get_bytes(const struct stream_in *in, void *bytes, size_t count)
{
    return first_get(in, bytes, count) < 0 ? -EPROTO : 0;
}

int stream_parse_head(const void *bytes, copy_head *head)
{
    int error = frame_decode(FRAME_XDR(copy_head), bytes, COPY_HEAD_LEN, head, sizeof(*head));

    if (error)
        return error;
    if (head->magic != COPY_MAGIC)
        return -EPROTO;
    return head->release == COPY_RELEASE ? 0 : -EPROTONOSUPPORT;
}

int stream_get_head(const struct stream_in *in, copy_head *head)
{
    uint8_t bytes[COPY_HEAD_LEN];
    int error = first_get(in, bytes, sizeof(bytes));

    return error ? error : stream_parse_head(bytes, head);
}

static bool name_allowed(const char *name)
{
    return !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static bool record_allowed(const copy_record *record)
{
    const copy_data *data = &record->copy_record_u.data;

    switch (record->kind) {
    case COPY_DIR:
    case COPY_FILE:
        return name_allowed(record->copy_record_u.entry.name);
    case COPY_DATA:
        return data->count <= COPY_MAX_DATA && data->offset <= (uint64_t)INT64_MAX - data->count;
    case COPY_FILE_END:
        return record->copy_record_u.end.size <= (uint64_t)INT64_MAX;
    case COPY_DIR_END:
    case COPY_END:
        return true;
    }
    return false;
}

int stream_get(const struct stream_in *in, copy_record *record)
{
    uint8_t bytes[COPY_MAX_RECORD];
    uint32_t len;
    int error = first_get(in, &len, sizeof(len));

    if (error)
        return error;
    len = ntohl(len);
    if (len > sizeof(bytes))
        return -EPROTO;
    error = stream_get_bytes(in, bytes, len);
    if (!error)
        error = frame_decode(FRAME_XDR(copy_record), bytes, len, record, sizeof(*record));
    if (!error && !record_allowed(record)) {
        stream_free(record);
        error = -EPROTO;
    }
    return error;
}

uint32_t stream_get_refusal(int fd)
{
    uint32_t encoded;

    return read(fd, &encoded, sizeof(encoded)) == (ssize_t)sizeof(encoded) ? ntohl(encoded) : 0;
}

void stream_free(copy_record *record)
{
    frame_free(FRAME_XDR(copy_record), record, sizeof(*record));
}
