/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "migrate/imagerestrain.h"
#include "tests/unit/tap.h"

/*
 * Two magic numbers, a record: a thread (5) with an id (2) and credentials (10): user (1) 5,
 * permitted ones (10) and bounding set (12) in two words, no_new_privs (18) not set.
 */
static const uint8_t core[] = { 0, 0, 0, 0, 0, 0, 0, 0, 21, 0, 0, 0,
                                0x08, 1, 0x2a, 17, 0x10, 9,
                                0x52, 13, 0x08, 5, 0x50, 7, 0x50, 3, 0x60, 7, 0x60, 3,
                                0x90, 1, 0 };
static const uint8_t less[] = { 0, 0, 0, 0, 0, 0, 0, 0, 21, 0, 0, 0,
                                0x08, 1, 0x2a, 17, 0x10, 9,
                                0x52, 13, 0x08, 5, 0x50, 6, 0x50, 1, 0x60, 6, 0x60, 1,
                                0x90, 1, 1 };
/* Words in one field, which protobuf knows too. */
static const uint8_t packed[] = { 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0,
                                  0x2a, 6, 0x52, 4, 0x62, 2, 7, 3 };

static int dir;

static int restrain_try(const char *name, const uint8_t *image, size_t len, restraint least)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (write(fd, image, len) != (ssize_t)len)
        diag("cannot write the image");
    close(fd);
    return imagerestrain_set(dir, &least);
}

static int is_image(const char *name, const uint8_t *want, size_t len)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    uint8_t image[256];
    ssize_t n = read(fd, image, sizeof(image));

    close(fd);
    return n == (ssize_t)len && memcmp(image, want, len) == 0;
}

int main(void)
{
    const restraint some = { .no_new_privs = 1, .capabilities = 0x10000000eULL };
    char path[] = "/tmp/test_imagerestrain.XXXXXX";

    dir = mkdtemp(path) ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    is_int(restrain_try("core-7.img", core, sizeof(core), (restraint){ 0, ~0ULL }), 0,
           "nothing was given up");
    ok(is_image("core-7.img", core, sizeof(core)), "the image is as it was");
    is_int(restrain_try("core-8.img", core, sizeof(core), some), 0, "something was");
    ok(is_image("core-7.img", less, sizeof(less)) && is_image("core-8.img", less, sizeof(less)),
       "no thread has it, and others are not given");
    is_int(restrain_try("core-8.img", less, sizeof(less), (restraint){ 0, ~0ULL - 1 }), 0,
           "what the image itself has given up");
    ok(is_image("core-8.img", less, sizeof(less)), "it does not get back");
    is_int(restrain_try("core-8.img", packed, sizeof(packed), some), -EPROTO,
           "words that are none of CRIU's");
    is_int(restrain_try("core-8.img", core, sizeof(core) - 1, some), -EPROTO,
           "an image that is cut short");
    unlinkat(dir, "core-7.img", 0);
    unlinkat(dir, "core-8.img", 0);
    close(dir);
    rmdir(path);
    return done_testing();
}
