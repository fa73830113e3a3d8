/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <unistd.h>

#include "tools/pump.h"

#define PUMP_BYTES 65536

/* True when the call is to be made again. */
static bool retry(int fd, short events)
{
    struct pollfd wait = { .fd = fd, .events = events };

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

        if (n < 0 && !retry(fd, POLLOUT))
            return false;
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
    }
    return true;
}

static void *pump_run(void *arg)
{
    struct pump *pump = arg;
    char bytes[PUMP_BYTES];
    uint64_t one = 1;
    ssize_t n;

    do {
        n = read(pump->from, bytes, sizeof(bytes));
        if (n > 0 && !bytes_write(pump->to, bytes, (size_t)n)) {
            pump->error = errno;
            break;
        }
    } while (n > 0 || (n < 0 && retry(pump->from, POLLIN)));
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
    error = pthread_create(&pump->thread, NULL, pump_run, pump);
    pump->started = error == 0;
    if (error) {
        close(from);
        close(to);
    }
    return -error;
}

bool pump_over(struct pump *pump)
{
    return !pump->started || atomic_load(&pump->over);
}

void pump_join(struct pump *pump)
{
    if (pump->started)
        pthread_join(pump->thread, NULL);
    pump->started = false;
}
