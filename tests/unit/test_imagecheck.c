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

/* A core image with credentials alone: `count` of the fields, of which number `other` differs. */
static size_t core_make(uint8_t *bytes, unsigned count, unsigned other)
{
    uint8_t creds[64];
    size_t len = 0, at = 8;

    for (unsigned number = 1; number <= count; number++) {
        unsigned id = number == other ? 0 : number % 2 ? OWNER : GROUP;

        creds[len++] = (uint8_t)(number << 3);
        if (id >= 0x80)
            creds[len++] = (uint8_t)(id | 0x80);
        creds[len++] = (uint8_t)(id >= 0x80 ? id >> 7 : id);
    }
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

static int core_try(int dir, unsigned count, unsigned other)
{
    uint8_t bytes[128];

    file_write(dir, "core-7.img", bytes, core_make(bytes, count, other));
    return imagecheck_owner(dir, OWNER, GROUP);
}

int main(void)
{
    char path[64];
    uint8_t bytes[128];
    int dir = dir_make(path);

    if (!ok(dir >= 0, "a folder"))
        return done_testing();
    is_int(imagecheck_owner(dir, OWNER, GROUP), -EPROTO, "no thread at all");
    is_int(core_try(dir, 8, 0), 0, "the owner's process");
    for (unsigned other = 1; other <= 8; other++)
        is_int(core_try(dir, 8, other), -EPERM, "another id in field %u", other);
    is_int(core_try(dir, 7, 0), -EPROTO, "an id is missing");
    is_int(core_try(dir, 10, 10), 0, "no capability is permitted");
    is_int(core_try(dir, 10, 0), -EPERM, "a capability is permitted");
    core_try(dir, 8, 0);
    file_write(dir, "core-8.img", bytes, core_make(bytes, 8, 3));
    is_int(imagecheck_owner(dir, OWNER, GROUP), -EPERM, "one thread of another");
    file_write(dir, "core-8.img", bytes, 15);
    is_int(imagecheck_owner(dir, OWNER, GROUP), -EPROTO, "a file that is cut off");
    unlinkat(dir, "core-7.img", 0);
    unlinkat(dir, "core-8.img", 0);
    close(dir);
    rmdir(path);
    return done_testing();
}
