/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "migrate/imagefile.h"

int imagefile_read(int dir_fd, const char *name, struct bytes *file)
{
    int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
    struct stat st;
    int error = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;

    if (!error) {
        file->len = (size_t)st.st_size;
        file->at = malloc(file->len + 1);
        if (!file->at)
            error = -ENOMEM;
        else if (read(fd, file->at, file->len) != (ssize_t)file->len)
            error = -EIO;
    }
    if (fd >= 0)
        close(fd);
    return error;
}

/* A new one: others may have the old one by another name. */
int imagefile_write(int dir_fd, const char *name, const struct bytes *file)
{
    int fd = unlinkat(dir_fd, name, 0) < 0 ? -1
             : openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ssize_t n = fd < 0 ? -1 : write(fd, file->at, file->len);
    int error = n < 0 ? -errno : (size_t)n == file->len ? 0 : -ENOSPC;

    if (fd >= 0)
        close(fd);
    return error;
}

static void skip(struct bytes *in, size_t len)
{
    in->at += len;
    in->len -= len;
}

static int varint_take(struct bytes *in, uint64_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < MAX_VARINT && i < in->len; i++) {
        *value |= (uint64_t)(in->at[i] & 0x7f) << (7 * i);
        if (!(in->at[i] & 0x80)) {
            skip(in, i + 1);
            return 0;
        }
    }
    return -EPROTO;
}

size_t varint_put(uint8_t *out, uint64_t value)
{
    size_t len = 0;

    for (; value >= 0x80; value >>= 7)
        out[len++] = (uint8_t)(value | 0x80);
    out[len++] = (uint8_t)value;
    return len;
}

int field_take(struct bytes *in, struct field *field)
{
    struct bytes start = *in;
    uint64_t tag, len = 0;

    if (in->len == 0)
        return 0;
    if (varint_take(in, &tag) < 0 || tag >> 3 == 0 || tag > UINT32_MAX)
        return -EPROTO;
    field->number = (unsigned)(tag >> 3);
    field->value = 0;
    switch (tag & 7) {
    case 0:
        if (varint_take(in, &field->value) < 0)
            return -EPROTO;
        break;
    case 1:
        len = 8;
        break;
    case 2:
        if (varint_take(in, &len) < 0)
            return -EPROTO;
        break;
    case 5:
        len = 4;
        break;
    default:
        return -EPROTO;
    }
    if (len > in->len)
        return -EPROTO;
    field->content = (struct bytes){ in->at, (size_t)len };
    skip(in, (size_t)len);
    field->whole = (struct bytes){ start.at, start.len - in->len };
    return 1;
}

int record_take(struct bytes *in, struct bytes *record)
{
    uint32_t len;

    if (in->len == 0)
        return 0;
    if (in->len < LENGTH_LEN)
        return -EPROTO;
    memcpy(&len, in->at, LENGTH_LEN);
    skip(in, LENGTH_LEN);
    if (len > in->len)
        return -EPROTO;
    *record = (struct bytes){ in->at, len };
    skip(in, len);
    return 1;
}

int magic_skip(struct bytes *in)
{
    if (in->len < MAGIC_LEN)
        return -EPROTO;
    skip(in, MAGIC_LEN);
    return 0;
}

int message_read(struct bytes in, uint32_t repeated, struct message *message)
{
    struct field field;
    int more;

    message->seen = 0;
    while ((more = field_take(&in, &field)) > 0) {
        uint32_t bit = field.number < MESSAGE_FIELDS ? UINT32_C(1) << field.number : 0;

        if (!bit || (message->seen & bit & ~repeated))
            return -EPROTO;
        message->fields[field.number] = field;
        message->seen |= bit;
    }
    return more;
}

uint32_t message_value(const struct message *message, unsigned number)
{
    return message->seen & UINT32_C(1) << number ? (uint32_t)message->fields[number].value : 0;
}

/* The inventory has its own magic number alone. */
static int start_skip(const char *name, struct bytes *in)
{
    if (strcmp(name, "inventory.img") != 0)
        return magic_skip(in);
    if (in->len < MAGIC_LEN / 2)
        return -EPROTO;
    skip(in, MAGIC_LEN / 2);
    return 0;
}

int imagefile_visit(int dir_fd, const char *name, record_visitor *visit, void *arg)
{
    struct bytes file = { NULL, 0 }, in, record;
    int more, error = imagefile_read(dir_fd, name, &file);

    in = file;
    if (!error)
        error = start_skip(name, &in);
    while (!error && (more = record_take(&in, &record)) != 0)
        error = more < 0 ? more : visit(record, arg);
    free(file.at);
    return error > 0 ? 0 : error;
}
