/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bproc-usage NODE INIT: answers slaved at descriptor 3, a packet socket, what the node and its
 * processes use. INIT is the pid of the process space's init. A program of its own, as reading
 * about a process can take as long as that process likes; the socket's end is its end.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/nodeload.h"
#include "proto/msg.h"
#include "slaved/usage_proc.h"

#define SLAVED 3

static int proc_open(int init)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/root/proc", init);
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The second space begins, if ever, when it is needed. */
static int second_open(int init)
{
    static int opened, fd = -1;

    if (opened == init)
        return fd;
    if (fd >= 0)
        close(fd);
    opened = init;
    return fd = init ? proc_open(init) : -1;
}

static int usage_answer(int proc, seconds_msg *seconds, node_usage *usage)
{
    int second = second_open(seconds->init), error;

    usage_proc_sort(seconds);
    nodeload_read(usage);
    error = usage_proc_read(proc, usage->uptime_ms, seconds, 0, usage);
    if (!error && second >= 0)
        error = usage_proc_read(second, usage->uptime_ms, seconds, 1, usage);
    if (!error)
        error = msg_send(SLAVED, K_EVENT, P_NODE_USAGE, 0, 0, FRAME_XDR(node_usage), usage, NULL,
                         0);
    usage_proc_free(usage);
    return error;
}

static int question_take(struct msg *msg, int proc, node_usage *usage)
{
    seconds_msg seconds;
    int error = frame_decode(FRAME_XDR(seconds_msg), msg->body, msg->header.body_len, &seconds,
                             sizeof(seconds));

    if (error)
        return error;
    error = usage_answer(proc, &seconds, usage);
    frame_free(FRAME_XDR(seconds_msg), &seconds, sizeof(seconds));
    return error;
}

int main(int argc, char **argv)
{
    static proc_usage procs[BPROC_MAX_USAGE];
    node_usage usage = { .procs = { .procs_val = procs } };
    int proc = argc == 3 ? proc_open(atoi(argv[2])) : -1;
    struct msg msg;
    int error = 0;

    if (proc < 0) {
        fprintf(stderr, "bproc-usage: cannot open /proc of the process space: %s\n",
                strerror(errno));
        return 1;
    }
    usage.node = atoi(argv[1]);
    while (!error && msg_recv_packet(SLAVED, &msg) == 0) {
        error = question_take(&msg, proc, &usage);
        msg_free(&msg);
    }
    if (error && error != -EPIPE)
        fprintf(stderr, "bproc-usage: cannot answer: %s\n", strerror(-error));
    return error != 0;
}
