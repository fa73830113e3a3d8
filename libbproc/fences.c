/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "libbproc/fences.h"

/* PAGEMAP_SCAN of Linux 6.7 in names of our own: headers before it lack it. */
struct scan_range {
    uint64_t start, end, categories;
};

struct scan {
    uint64_t size, flags, start, end, walk_end;
    uint64_t found, found_len, pages_max;
    uint64_t inverted, all_of, any_of, returned;
};

#define SCAN _IOWR('f', 16, struct scan)
#define IS_FENCE (1UL << 8)             /* since Linux 6.15; before, the call fails */

int fences_open(void)
{
    return open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
}

void fences_close(int fd)
{
    if (fd >= 0)
        close(fd);
}

int fences_find(int fd, uintptr_t start, uintptr_t end, uintptr_t fence[2])
{
    struct scan_range range;
    struct scan scan = { .size = sizeof(scan), .start = start, .end = end,
                         .found = (uintptr_t)&range, .found_len = 1, .all_of = IS_FENCE,
                         .returned = IS_FENCE };

    if (fd < 0 || ioctl(fd, SCAN, &scan) <= 0)
        return 0;
    fence[0] = range.start;
    fence[1] = range.end;
    return 1;
}
