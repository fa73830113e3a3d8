/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "migrate/imagerewrite.h"

#define MAX_GROWTH 4                    /* times as long: the most that an edit makes of anything */

void imagerewrite_bytes(struct bytes *out, const void *bytes, size_t len)
{
    memcpy(out->at + out->len, bytes, len);
    out->len += len;
}

void imagerewrite_number(struct bytes *out, unsigned field, uint64_t value)
{
    out->len += varint_put(out->at + out->len, field << 3);
    out->len += varint_put(out->at + out->len, value);
}

void imagerewrite_head(struct bytes *out, unsigned field, size_t len)
{
    out->len += varint_put(out->at + out->len, field << 3 | 2);
    out->len += varint_put(out->at + out->len, len);
}

int imagerewrite_inside(const struct field *field, record_editor *edit, const void *arg,
                        struct bytes *out)
{
    struct bytes inside = { malloc(MAX_GROWTH * field->content.len + 1), 0 };
    int error = inside.at ? edit(field->content, arg, &inside) : -ENOMEM;

    if (!error) {
        imagerewrite_head(out, field->number, inside.len);
        imagerewrite_bytes(out, inside.at, inside.len);
    }
    free(inside.at);
    return error;
}

static int record_edit(struct bytes record, record_editor *edit, const void *arg,
                       struct bytes *out)
{
    size_t start = out->len;
    uint32_t len = 0;
    int error;

    imagerewrite_bytes(out, &len, LENGTH_LEN);
    error = edit(record, arg, out);
    len = (uint32_t)(out->len - start - LENGTH_LEN);
    memcpy(out->at + start, &len, LENGTH_LEN);
    return error;
}

static int records_edit(struct bytes in, record_editor *edit, const void *arg, struct bytes *out)
{
    const uint8_t *magic = in.at;
    struct bytes record;
    int more, error = magic_skip(&in);

    if (error)
        return error;
    out->at = malloc(MAGIC_LEN + MAX_GROWTH * in.len);
    if (!out->at)
        return -ENOMEM;
    imagerewrite_bytes(out, magic, MAGIC_LEN);
    while (!error && (more = record_take(&in, &record)) != 0)
        error = more < 0 ? more : record_edit(record, edit, arg, out);
    return error;
}

int imagerewrite_file(int dir_fd, const char *name, record_editor *edit, const void *arg)
{
    struct bytes in = { NULL, 0 }, out = { NULL, 0 };
    int error = imagefile_read(dir_fd, name, &in);

    if (!error)
        error = records_edit(in, edit, arg, &out);
    if (!error)
        error = imagefile_write(dir_fd, name, &out);
    free(in.at);
    free(out.at);
    return error;
}
