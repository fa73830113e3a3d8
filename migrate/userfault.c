/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "migrate/pagestore.h"
#include "migrate/userfault.h"

/* Headers before Linux 6.6 lack it. */
#ifndef UFFDIO_POISON
#define UFFD_FEATURE_POISON (1 << 14)
struct uffdio_poison {
    struct uffdio_range range;
    __u64 mode;
    __s64 updated;
};
#define UFFDIO_POISON _IOWR(UFFDIO, 0x08, struct uffdio_poison)
#endif

/* Of what programs have. */
#define LOWEST (1UL << 16)
#define HIGHEST ((1UL << 47) - PAGE_BYTES)
#define NOWHERE (1UL << 46)             /* an address that they do not use */

bool userfault_is(int fd)
{
    static const char want[] = "anon_inode:[userfaultfd]";
    char path[40], name[sizeof(want)];
    ssize_t len;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    len = readlink(path, name, sizeof(name));
    return len == sizeof(want) - 1 && memcmp(name, want, sizeof(want) - 1) == 0;
}

static int api_begin(int fd, uint64_t features)
{
    struct uffdio_api api = { .api = UFFD_API, .features = features };

    return ioctl(fd, UFFDIO_API, &api) < 0 ? -errno : 0;
}

/* O_NONBLOCK would be the process's to clear: it may have kept the same open file. */
static ssize_t event_read(int fd, struct uffd_msg *msg)
{
    struct iovec iov = { msg, sizeof(*msg) };

    return preadv2(fd, &iov, 1, -1, RWF_NOWAIT);
}

int userfault_begin(int fd, uint64_t events)
{
    struct uffd_msg msg;

    if (!events)
        return api_begin(fd, 0);
    if (api_begin(fd, events | UFFD_FEATURE_POISON) < 0)
        return api_begin(fd, 0);
    return event_read(fd, &msg) < 0 && errno == EAGAIN;
}

int userfault_hear(int fd, struct uffd_msg *msg)
{
    ssize_t n = event_read(fd, msg);

    /* Those of children come from the kernel to us alone, and it does not wait by their flag. */
    if (n < 0 && errno == EOPNOTSUPP)
        n = read(fd, msg, sizeof(*msg));
    return n == sizeof(*msg);
}

int userfault_poison(int fd, uint64_t page)
{
    struct uffdio_poison poison = { .range = { page, PAGE_BYTES } };

    return ioctl(fd, UFFDIO_POISON, &poison) < 0 ? -errno : 0;
}

bool userfault_is_over(int fd)
{
    return userfault_poison(fd, NOWHERE) == -ESRCH;
}

void userfault_wake(int fd)
{
    struct uffdio_range all = { LOWEST, HIGHEST - LOWEST };

    ioctl(fd, UFFDIO_WAKE, &all);
}
