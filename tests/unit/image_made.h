/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image of one process, as CRIU on a node would write it, in a folder of the test's:
 * files_write() and its like write what is there, with one change that the test has asked for.
 */
#ifndef TESTS_IMAGE_MADE_H
#define TESTS_IMAGE_MADE_H

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/tap.h"

#define PID 7
#define OWNER 1000

/* A message under construction. */
struct blob {
    uint8_t at[512];
    size_t len;
};

/* What differs in one case from an image that is accepted; a field 0 is none. */
static struct change {
    struct blob file;               /* one more record of files.img */
    unsigned thread_field, thread_value, task_field, task_value, creds_field, creds_value;
    unsigned vma_status, vma_flags, namespace, parent;
    const char *exe, *root, *folder, *name;
    struct blob remap, ghost, lock;
    struct blob content;            /* of the file without a name */
    unsigned offset;                /* of a regular file that is one more */
} change;

static int dir;

static void byte_put(struct blob *blob, unsigned byte)
{
    blob->at[blob->len++] = (uint8_t)byte;
}

static void varint(struct blob *blob, unsigned value)
{
    for (; value >= 0x80; value >>= 7)
        byte_put(blob, (value & 0x7f) | 0x80);
    byte_put(blob, value);
}

static void number(struct blob *blob, unsigned field, unsigned value)
{
    varint(blob, field << 3);
    varint(blob, value);
}

static void bytes(struct blob *blob, unsigned field, const void *at, size_t len)
{
    varint(blob, field << 3 | 2);
    varint(blob, (unsigned)len);
    memcpy(blob->at + blob->len, at, len);
    blob->len += len;
}

static void inside(struct blob *blob, unsigned field, const struct blob *part)
{
    bytes(blob, field, part->at, part->len);
}

static void image_write(const char *name, size_t magic, const struct blob *records, unsigned count)
{
    static const uint8_t zeros[8];
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, zeros, magic) == (ssize_t)magic;

    for (unsigned i = 0; good && i < count; i++) {
        uint32_t len = (uint32_t)records[i].len;

        if (len)
            good = write(fd, &len, sizeof(len)) == (ssize_t)sizeof(len) &&
                   write(fd, records[i].at, len) == (ssize_t)len;
    }
    if (!good)
        diag("cannot write %s", name);
    close(fd);
}

static void image_append(const char *name, struct blob content)
{
    int fd = openat(dir, name, O_WRONLY | O_APPEND | O_CLOEXEC);

    if (write(fd, content.at, content.len) != (ssize_t)content.len)
        diag("cannot write %s", name);
    close(fd);
}

static struct blob signals(unsigned uid, unsigned pid)
{
    struct blob blob = { .len = 0 };

    number(&blob, 1, uid);
    number(&blob, 2, uid);
    number(&blob, 5, pid);
    return blob;
}

/* A file whose message has the number `message` and, in it, the receiver of signals `field`. */
static struct blob file_make(unsigned type, unsigned message, unsigned field, struct blob more)
{
    struct blob owner = signals(0, 0), file = { .len = 0 };

    inside(&more, field, &owner);
    number(&file, 1, type);
    number(&file, 2, 9);
    inside(&file, message, &more);
    return file;
}

static struct blob regular(unsigned id, unsigned flags, const char *path)
{
    struct blob owner = signals(0, 0), part = { .len = 0 }, file = { .len = 0 };

    number(&part, 1, id);
    number(&part, 2, flags);
    number(&part, 3, change.offset);
    inside(&part, 5, &owner);
    bytes(&part, 6, path, strlen(path));
    number(&file, 1, 1);
    number(&file, 2, id);
    inside(&file, 3, &part);
    return file;
}

static void files_write(void)
{
    struct blob records[] = {
        regular(1, 0, change.exe ? change.exe : "/bin/sh"),
        regular(2, 0, change.root ? change.root : "/"),
        regular(3, 0, change.folder ? change.folder : "/"),
        change.file
    };

    image_write("files.img", 8, records, 4);
    image_write("remap-fpath.img", 8, &change.remap, 1);
    image_write("ghost-file-5.img", 8, &change.ghost, 1);
    image_append("ghost-file-5.img", change.content);
    image_write("filelocks.img", 8, &change.lock, 1);
}

static void process_write(void)
{
    struct blob tree = { .len = 0 }, fs = { .len = 0 }, ids = { .len = 0 };
    struct blob inventory = { .len = 0 };

    number(&tree, 1, PID);
    number(&tree, 2, change.parent);
    image_write("pstree.img", 8, &tree, 1);
    number(&fs, 1, 3);
    number(&fs, 2, 2);
    image_write("fs-7.img", 8, &fs, 1);
    for (unsigned i = 1; i <= 12; i++)
        number(&ids, i, i);
    inside(&inventory, 3, &ids);
    image_write("inventory.img", 4, &inventory, 1);
    ids.len = 0;
    for (unsigned i = 1; i <= 12; i++)
        number(&ids, i, i == change.namespace ? 77 : i);
    image_write("ids-7.img", 8, &ids, 1);
}

static void core_write(void)
{
    struct blob creds = { .len = 0 }, thread = { .len = 0 }, task = { .len = 0 };
    struct blob core = { .len = 0 };

    if (change.creds_field == 15)
        bytes(&creds, 15, "label", 5);
    else if (change.creds_field)
        number(&creds, change.creds_field, change.creds_value);
    if (change.thread_field)
        number(&thread, change.thread_field, change.thread_value);
    inside(&thread, 10, &creds);
    if (change.task_field)
        number(&task, change.task_field, change.task_value);
    inside(&core, 3, &task);
    inside(&core, 5, &thread);
    image_write("core-7.img", 8, &core, 1);
}

static void mm_write(void)
{
    struct blob vma = { .len = 0 }, mm = { .len = 0 };

    number(&vma, 4, 1);
    number(&vma, 7, change.vma_status ? change.vma_status : 65);
    number(&vma, 10, change.vma_flags);
    number(&mm, 12, 1);
    inside(&mm, 14, &vma);
    image_write("mm-7.img", 8, &mm, 1);
}

#endif
