/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tools/pump.h"

#define PUMP_BYTES 65536

/* True when the write is to be made again. */
static bool retry(int fd)
{
    struct pollfd wait = { .fd = fd, .events = POLLOUT };

    if (errno == EINTR)
        return true;
    if (errno != EAGAIN)
        return false;
    poll(&wait, 1, -1);
    return true;
}

static bool bytes_write(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);

        if (n < 0 && !retry(fd))
            return false;
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
    }
    return true;
}

/* False when there is nothing to read and nothing more is wanted. */
static bool input_wait(const struct pump *pump)
{
    struct pollfd fds[2] = { { .fd = pump->from, .events = POLLIN },
                             { .fd = pump->drain_fd, .events = POLLIN } };

    while (poll(fds, 2, -1) < 0)
        ;
    return fds[0].revents != 0;
}

static void *pump_run(void *arg)
{
    struct pump *pump = arg;
    char bytes[PUMP_BYTES];
    uint64_t one = 1;
    ssize_t n = 1;

    while ((n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN))) && input_wait(pump)) {
        n = read(pump->from, bytes, sizeof(bytes));
        if (n > 0 && !bytes_write(pump->to, bytes, (size_t)n)) {
            pump->error = errno;
            break;
        }
    }
    close(pump->from);
    close(pump->to);
    atomic_store(&pump->over, true);
    while (write(pump->done_fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
    return NULL;
}

int pump_start(struct pump *pump, int from, int to, int done_fd)
{
    int error;

    pump->from = from;
    pump->to = to;
    pump->done_fd = done_fd;
    pump->error = 0;
    atomic_init(&pump->over, false);
    pump->drain_fd = eventfd(0, EFD_CLOEXEC);
    error = pump->drain_fd < 0 ? errno : pthread_create(&pump->thread, NULL, pump_run, pump);
    pump->started = error == 0;
    if (error) {
        close(from);
        close(to);
        close(pump->drain_fd);
    }
    return -error;
}

void pump_drain(struct pump *pump)
{
    uint64_t one = 1;

    if (pump->started)
        (void)!write(pump->drain_fd, &one, sizeof(one));
    pump_join(pump);
}

bool pump_over(struct pump *pump)
{
    return !pump->started || atomic_load(&pump->over);
}

void pump_join(struct pump *pump)
{
    if (!pump->started)
        return;
    pthread_join(pump->thread, NULL);
    close(pump->drain_fd);
    pump->started = false;
}
