/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "migrate/imagerewrite.h"

/* The whole that is being made: a file, a record, a message inside one. */
struct part {
    char *at;
    size_t len;
    FILE *out;
};

static int part_begin(struct part *part)
{
    *part = (struct part){ NULL, 0, NULL };
    part->out = open_memstream(&part->at, &part->len);
    return part->out ? 0 : -ENOMEM;
}

/* part->at is good then; the caller frees it in any case. */
static int part_end(struct part *part, int error)
{
    int bad = ferror(part->out);

    if (fclose(part->out) != 0)
        bad = 1;
    return error ? error : bad ? -ENOMEM : 0;
}

void imagerewrite_bytes(FILE *out, const void *bytes, size_t len)
{
    fwrite(bytes, 1, len, out);
}

static void varint_write(FILE *out, uint64_t value)
{
    uint8_t bytes[MAX_VARINT];

    imagerewrite_bytes(out, bytes, varint_put(bytes, value));
}

void imagerewrite_number(FILE *out, unsigned field, uint64_t value)
{
    varint_write(out, field << 3);
    varint_write(out, value);
}

void imagerewrite_head(FILE *out, unsigned field, size_t len)
{
    varint_write(out, field << 3 | 2);
    varint_write(out, len);
}

int imagerewrite_inside(unsigned field, struct bytes message, record_editor *edit,
                        const void *arg, FILE *out)
{
    struct part part;
    int error = part_begin(&part);

    if (error)
        return error;
    error = part_end(&part, edit(message, arg, part.out));
    if (!error) {
        imagerewrite_head(out, field, part.len);
        imagerewrite_bytes(out, part.at, part.len);
    }
    free(part.at);
    return error;
}

static int record_edit(struct bytes record, record_editor *edit, const void *arg, FILE *out)
{
    struct part part;
    uint32_t len;
    int error = part_begin(&part);

    if (error)
        return error;
    error = part_end(&part, edit(record, arg, part.out));
    if (!error) {
        len = (uint32_t)part.len;
        imagerewrite_bytes(out, &len, LENGTH_LEN);
        imagerewrite_bytes(out, part.at, part.len);
    }
    free(part.at);
    return error;
}

static int records_edit(struct bytes in, record_editor *edit, const void *arg, FILE *out)
{
    const uint8_t *magic = in.at;
    struct bytes record;
    int more, error = magic_skip(&in);

    if (!error)
        imagerewrite_bytes(out, magic, MAGIC_LEN);
    while (!error && (more = record_take(&in, &record)) != 0)
        error = more < 0 ? more : record_edit(record, edit, arg, out);
    return error;
}

int imagerewrite_file(int dir_fd, const char *name, record_editor *edit, const void *arg)
{
    struct bytes in = { NULL, 0 };
    struct part part;
    int error = part_begin(&part);

    if (error)
        return error;
    error = imagefile_read(dir_fd, name, &in);
    if (!error)
        error = records_edit(in, edit, arg, part.out);
    error = part_end(&part, error);
    if (!error)
        error = imagefile_write(dir_fd, name, &(struct bytes){ (uint8_t *)part.at, part.len });
    free(in.at);
    free(part.at);
    return error;
}
