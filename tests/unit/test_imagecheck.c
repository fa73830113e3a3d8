/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "migrate/imagecheck.h"
#include "tests/unit/tap.h"

#define OWNER 1000
#define GROUP 100

static const unsigned groups[] = { 7, 200 };
static const struct image_owner owner = { OWNER, GROUP, groups, 2 };

static int dir_make(char path[64])
{
    snprintf(path, 64, "/tmp/test_imagecheck.XXXXXX");
    return mkdtemp(path) ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

static void file_write(int dir, const char *name, const uint8_t *bytes, size_t len)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
        diag("cannot write %s", name);
    close(fd);
}

static size_t field_put(uint8_t *bytes, unsigned number, unsigned value)
{
    size_t len = 0;

    bytes[len++] = (uint8_t)(number << 3);
    if (value >= 0x80)
        bytes[len++] = (uint8_t)(value | 0x80);
    bytes[len++] = (uint8_t)(value >= 0x80 ? value >> 7 : value);
    return len;
}

/* The ids of `count` fields, of which number `other` differs. */
static size_t ids_put(uint8_t *creds, unsigned count, unsigned other)
{
    size_t len = 0;

    for (unsigned number = 1; number <= count; number++)
        len += field_put(creds + len, number, number == other ? 0 : number % 2 ? OWNER : GROUP);
    return len;
}

/* A core image with credentials alone. */
static size_t image_put(uint8_t *bytes, const uint8_t *creds, size_t len)
{
    size_t at = 8;

    memset(bytes, 0, 12);
    bytes[at] = (uint8_t)(len + 4);
    at += 4;
    bytes[at++] = 5 << 3 | 2;
    bytes[at++] = (uint8_t)(len + 2);
    bytes[at++] = 10 << 3 | 2;
    bytes[at++] = (uint8_t)len;
    memcpy(bytes + at, creds, len);
    return at + len;
}

static size_t core_make(uint8_t *bytes, unsigned count, unsigned other)
{
    uint8_t creds[64];

    return image_put(bytes, creds, ids_put(creds, count, other));
}

/* All ids are right, and then there is one more field, as CRIU writes it or as a list. */
static int right_try(int dir, unsigned number, unsigned value, int list)
{
    uint8_t bytes[128], creds[64];
    size_t len = ids_put(creds, 8, 0);

    if (list) {
        creds[len++] = (uint8_t)(number << 3 | 2);
        creds[len++] = 1;
        creds[len++] = (uint8_t)value;
    } else {
        len += field_put(creds + len, number, value);
    }
    file_write(dir, "core-7.img", bytes, image_put(bytes, creds, len));
    return imagecheck_owner(dir, &owner);
}

/* CRIU takes two messages for one: what the first one has it has, too. */
static int twice_try(int dir)
{
    uint8_t bytes[128];
    size_t len = core_make(bytes, 8, 0), record = len - 12;

    memmove(bytes + len, bytes + 12, record);
    bytes[8] = (uint8_t)(2 * record);
    file_write(dir, "core-7.img", bytes, len + record);
    return imagecheck_owner(dir, &owner);
}

static int core_try(int dir, unsigned count, unsigned other)
{
    uint8_t bytes[128];

    file_write(dir, "core-7.img", bytes, core_make(bytes, count, other));
    return imagecheck_owner(dir, &owner);
}

int main(void)
{
    char path[64];
    uint8_t bytes[128];
    int dir = dir_make(path);

    if (!ok(dir >= 0, "a folder"))
        return done_testing();
    is_int(imagecheck_owner(dir, &owner), -EPROTO, "no thread at all");
    is_int(core_try(dir, 8, 0), 0, "the owner's process");
    for (unsigned other = 1; other <= 8; other++)
        is_int(core_try(dir, 8, other), -EPERM, "another id in field %u", other);
    is_int(core_try(dir, 7, 0), -EPROTO, "an id is missing");
    for (unsigned number = 9; number <= 11; number++) {
        is_int(right_try(dir, number, 0, 0), 0, "no capability in field %u", number);
        is_int(right_try(dir, number, 1, 0), -EPERM, "a capability in field %u", number);
        is_int(right_try(dir, number, 1, 1), -EPERM, "a list of them in field %u", number);
    }
    is_int(right_try(dir, 14, 200, 0), 0, "one of its groups");
    is_int(right_try(dir, 14, GROUP, 0), 0, "its first one");
    is_int(right_try(dir, 14, 0, 0), -EPERM, "one that it is not in");
    is_int(right_try(dir, 14, 7, 1), -EPERM, "a list of them");
    is_int(twice_try(dir), -EPROTO, "a second thread in one image");
    core_try(dir, 8, 0);
    file_write(dir, "core-8.img", bytes, core_make(bytes, 8, 3));
    is_int(imagecheck_owner(dir, &owner), -EPERM, "one thread of another");
    file_write(dir, "core-8.img", bytes, 15);
    is_int(imagecheck_owner(dir, &owner), -EPROTO, "a file that is cut off");
    unlinkat(dir, "core-7.img", 0);
    unlinkat(dir, "core-8.img", 0);
    close(dir);
    rmdir(path);
    return done_testing();
}
