/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who reads the inventory waits for the image, and finds it as if it were a file. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "migrate/imagegate.h"
#include "tests/unit/tap.h"

#define BUFFER 4096                 /* of CRIU's */

static const char content[] = "magic, length, record";

static int waits(int fd)
{
    struct pollfd polled = { .fd = fd, .events = POLLIN };

    return poll(&polled, 1, 0) == 0;
}

static void inventory_come(int dir)
{
    int fd = openat(dir, imagegate_name("inventory.img"), O_WRONLY | O_CREAT | O_EXCL, 0600);

    ok(fd >= 0 && write(fd, content, sizeof(content)) == sizeof(content),
       "what comes has a place beside it");
    close(fd);
}

/* As CRIU does: until its buffer is full. */
static void test_read(int fd)
{
    char buffer[BUFFER];
    size_t filled = 0;
    ssize_t n = 1;

    while (filled < sizeof(buffer) && n > 0) {
        n = read(fd, buffer + filled, sizeof(buffer) - filled);
        filled += n > 0 ? (size_t)n : 0;
    }
    ok(filled == sizeof(buffer), "a whole buffer can be read");
    ok(memcmp(buffer, content, sizeof(content)) == 0, "which begins with what has come");
}

static void test_gate(int dir)
{
    int gate = imagegate_make(dir), reader;

    ok(gate >= 0, "a gate is made");
    is_int(imagegate_make(dir), -EEXIST, "once");
    ok(strcmp(imagegate_name("core-7.img"), "core-7.img") == 0, "other files keep their names");
    reader = openat(dir, "inventory.img", O_RDONLY);
    ok(reader >= 0 && waits(reader), "who reads it waits");
    is_int(imagegate_open(dir, gate), -ENOENT, "without an inventory it stays closed");
    ok(waits(reader), "and who reads it waits on");
    inventory_come(dir);
    is_int(imagegate_open(dir, gate), 0, "with one it is opened");
    test_read(reader);
    close(gate);
    close(reader);
}

static void test_end(int dir)
{
    int gate = imagegate_make(dir), reader = openat(dir, "inventory.img", O_RDONLY);
    char byte;

    close(gate);
    is_int(read(reader, &byte, 1), 0, "when it goes unopened, there is no inventory");
    close(reader);
}

int main(void)
{
    char path[] = "/tmp/test_imagegate.XXXXXX";
    int dir = mkdtemp(path) ? open(path, O_RDONLY | O_DIRECTORY) : -1;

    test_gate(dir);
    unlinkat(dir, "inventory", 0);
    unlinkat(dir, "inventory.img", 0);
    test_end(dir);
    unlinkat(dir, "inventory.img", 0);
    rmdir(path);
    return done_testing();
}
