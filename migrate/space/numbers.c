/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "migrate/space/numbers.h"

#define PID_LIMIT (4 << 20)     /* the kernel's own */
#define FIRST_UNKNOWN 16384     /* below the smallest usual pid_max, above a quiet machine's */

static struct {
    int fd;                     /* ns_last_pid */
    pid_t first, count;
} numbers = { .fd = -1 };

static void last_set(pid_t pid)
{
    char text[16];
    int len = snprintf(text, sizeof(text), "%d", (int)pid);

    if (numbers.fd >= 0 && pwrite(numbers.fd, text, (size_t)len, 0) < 0)
        fprintf(stderr, "bproc-space: cannot set the last pid to %s: %s\n", text, strerror(errno));
}

/* Before Linux 6.14 the limit is the whole machine's and may be as low as 32768. */
static void limit_raise(void)
{
    int fd = open("/proc/sys/kernel/pid_max", O_RDWR | O_CLOEXEC);
    char text[16] = "";

    if (fd < 0)
        return;
    if (pread(fd, text, sizeof(text) - 1, 0) > 0 && strtol(text, NULL, 10) < PID_LIMIT &&
        dprintf(fd, "%d", PID_LIMIT) < 0)
        fprintf(stderr, "bproc-space: cannot raise kernel.pid_max: %s\n", strerror(errno));
    close(fd);
}

void numbers_init(void)
{
    limit_raise();
    numbers.fd = open("/proc/sys/kernel/ns_last_pid", O_RDWR | O_CLOEXEC);
    last_set(FIRST_UNKNOWN);
}

/* A quarter of the block is the reserve for what is forked between two looks. */
static bool is_due(pid_t last)
{
    return last < numbers.first - 1 || last >= numbers.first + numbers.count / 4 * 3;
}

void numbers_set(pid_t first, pid_t count)
{
    if (first <= 1 || count < 2)
        return;
    numbers.first = first;
    numbers.count = count;
    numbers_tend();
}

/* What came from an earlier space of this node may live elsewhere still: not where that began. */
static pid_t start_choose(void)
{
    unsigned random;

    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
        random = 0;
    return numbers.first + (pid_t)(random % (unsigned)(numbers.count / 2));
}

pid_t numbers_tend(void)
{
    char text[16];
    ssize_t n = numbers.fd < 0 ? -1 : pread(numbers.fd, text, sizeof(text) - 1, 0);
    pid_t last;

    if (n <= 0)
        return 0;
    text[n] = '\0';
    last = (pid_t)strtol(text, NULL, 10);
    if (numbers.count > 0 && is_due(last))
        last_set(last < numbers.first ? start_choose() - 1 : numbers.first - 1);
    return last;
}
