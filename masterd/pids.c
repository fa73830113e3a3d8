/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <event2/event.h>

#include "common/log.h"
#include "masterd/master.h"
#include "masterd/pids.h"

#define PID_MAX_FILE "/proc/sys/kernel/pid_max"
#define LAST_PID_FILE "/proc/sys/kernel/ns_last_pid"
#define MARGIN (PIDS_OWN_END / 4)   /* more than can be forked between two looks */
#define FIRST_AGAIN 300             /* where the kernel itself goes on after its last number */
#define BLOCK_MOST (1 << 16)        /* so large that adding nodes rarely changes the division */

static struct {
    struct event *on_look;
    int divided;
} pids;

static int number_read(const char *path, pid_t *number)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char text[32];
    ssize_t n;

    if (fd < 0)
        return -errno;
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (n <= 0)
        return -EIO;
    text[n] = '\0';
    *number = (pid_t)strtol(text, NULL, 10);
    return 0;
}

static int number_write(const char *path, pid_t number)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int error;

    if (fd < 0)
        return -errno;
    error = dprintf(fd, "%d", (int)number) < 0 ? -errno : 0;
    close(fd);
    return error;
}

static void look_due(evutil_socket_t fd, short what, void *arg)
{
    pid_t last;

    (void)fd;
    (void)what;
    (void)arg;
    if (number_read(LAST_PID_FILE, &last) == 0 && last >= PIDS_OWN_END - MARGIN)
        number_write(LAST_PID_FILE, FIRST_AGAIN);
}

static int numbers_divide(void)
{
    pid_t most, last;
    int error = number_read(PID_MAX_FILE, &most);

    if (!error && most < PIDS_END)
        error = number_write(PID_MAX_FILE, PIDS_END);
    if (!error)
        error = number_read(LAST_PID_FILE, &last);
    return error;
}

int pids_start(void)
{
    struct timeval second = { 1, 0 };
    int error = numbers_divide();

    if (error) {
        log_warnx("cannot divide process numbers among the nodes: %s", strerror(-error));
        return 0;
    }
    pids.divided = 1;
    look_due(-1, 0, NULL);
    pids.on_look = event_new(master.base, -1, EV_PERSIST, look_due, NULL);
    return pids.on_look && event_add(pids.on_look, &second) == 0 ? 0 : -ENOMEM;
}

void pids_stop(void)
{
    if (pids.on_look)
        event_free(pids.on_look);
    pids.on_look = NULL;
}

/* A power of two, so that a node more or less seldom moves the blocks of the others. */
numbers_msg pids_block(int node, int nodes)
{
    int size = BLOCK_MOST;

    if (!pids.divided)
        return (numbers_msg){ 0, 0 };
    while (size > (PIDS_END - PIDS_OWN_END) / (nodes + 1))
        size /= 2;
    return (numbers_msg){ .first = PIDS_OWN_END + (node + 1) * size, .count = size };
}
