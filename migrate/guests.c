/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "migrate/guests.h"

#define MOMENT_MS 1000

struct guest {
    int known;                  /* read end of a pipe; its end tells */
    int sock;
    int64_t since;              /* monotonic milliseconds */
};

/* In the order of their coming. */
static struct guest guests[GUESTS_MAX];
static unsigned guest_count;

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int guests_enter(int sock)
{
    struct guest *guest = &guests[guest_count];
    int ends[2], error;

    if (guest_count == GUESTS_MAX)
        return -EAGAIN;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    guest->known = ends[0];
    guest->sock = fcntl(sock, F_DUPFD_CLOEXEC, 0);
    guest->since = now_ms();
    if (guest->sock >= 0) {
        guest_count++;
        return ends[1];
    }
    error = -errno;
    close(ends[0]);
    close(ends[1]);
    return error;
}

void guests_leave(void)
{
    for (unsigned i = 0; i < guest_count; i++) {
        close(guests[i].known);
        close(guests[i].sock);
    }
    guest_count = 0;
}

unsigned guests_fill(struct pollfd *fds)
{
    for (unsigned i = 0; i < guest_count; i++)
        fds[i] = (struct pollfd){ .fd = guests[i].known, .events = POLLIN };
    return guest_count;
}

void guests_read(const struct pollfd *fds, unsigned count)
{
    unsigned left = 0;

    for (unsigned i = 0; i < guest_count; i++) {
        if (i < count && fds[i].revents) {
            close(guests[i].known);
            close(guests[i].sock);
        } else {
            guests[left++] = guests[i];
        }
    }
    guest_count = left;
}

int guests_wait(void)
{
    int64_t age;

    if (guest_count < GUESTS_MAX)
        return 0;
    age = now_ms() - guests[0].since;
    if (age < MOMENT_MS)
        return (int)(MOMENT_MS - age);
    /* Its child notices, and ends; then there is room. */
    shutdown(guests[0].sock, SHUT_RDWR);
    guests[0].since = now_ms();
    return MOMENT_MS;
}
