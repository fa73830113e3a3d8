/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "migrate/imagebound.h"
#include "tests/unit/tap.h"

/* Two magic numbers, a record: a task (3) with limits (8) of 5 and 9, 3 and 4, login id (13) 77. */
static const uint8_t core[] = { 0, 0, 0, 0, 0, 0, 0, 0, 22, 0, 0, 0,
                                0x08, 1, 0x1a, 18, 0x08, 1,
                                0x42, 12, 0x0a, 4, 0x08, 5, 0x10, 9, 0x0a, 4, 0x08, 3, 0x10, 4,
                                0x68, 77 };
/* No more than 4, 6 and 2; the third was not there. */
static const uint8_t bound[] = { 0, 0, 0, 0, 0, 0, 0, 0, 28, 0, 0, 0,
                                 0x08, 1, 0x1a, 24, 0x08, 1,
                                 0x68, 50,
                                 0x42, 18, 0x0a, 4, 0x08, 4, 0x10, 4, 0x0a, 4, 0x08, 3, 0x10, 4,
                                 0x0a, 4, 0x08, 2, 0x10, 2 };

static int dir;

static int bound_try(const uint8_t *image, size_t len, unsigned login)
{
    u_quad_t limits[] = { 4, 6, 2 };
    process_bounds bounds = { .limits = { 3, limits }, .login = login };
    int fd = openat(dir, "core-7.img", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (write(fd, image, len) != (ssize_t)len)
        diag("cannot write the image");
    close(fd);
    return imagebound_set(dir, 7, &bounds);
}

static ssize_t image_read(uint8_t *image, size_t len)
{
    int fd = openat(dir, "core-7.img", O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, image, len);

    close(fd);
    return n;
}

int main(void)
{
    char path[] = "/tmp/test_imagebound.XXXXXX";
    uint8_t image[256];

    dir = mkdtemp(path) ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    is_int(bound_try(core, sizeof(core), 50), 0, "limits and login id are set");
    ok(image_read(image, sizeof(image)) == sizeof(bound) &&
           memcmp(image, bound, sizeof(bound)) == 0,
       "to no more than they may be");
    is_int(bound_try(core, sizeof(core), (unsigned)-1), 0, "nobody logged in");
    ok(image_read(image, sizeof(image)) == sizeof(bound) - 2 && !memchr(image, 0x68, 60),
       "nobody is named");
    is_int(bound_try(core, sizeof(core) - 1, 50), -EPROTO, "an image that is cut short");
    unlinkat(dir, "core-7.img", 0);
    close(dir);
    rmdir(path);
    return done_testing();
}
