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

static int proc_open(const char *init)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/root/proc", atoi(init));
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int usage_answer(int proc, node_usage *usage)
{
    int error;

    nodeload_read(usage);
    error = usage_proc_read(proc, usage->uptime_ms, usage);
    if (!error)
        error = msg_send(SLAVED, K_EVENT, P_NODE_USAGE, 0, 0, FRAME_XDR(node_usage), usage, NULL,
                         0);
    usage_proc_free(usage);
    return error;
}

int main(int argc, char **argv)
{
    static proc_usage procs[BPROC_MAX_USAGE];
    node_usage usage = { .procs = { .procs_val = procs } };
    int proc = argc == 3 ? proc_open(argv[2]) : -1;
    struct msg msg;
    int error = 0;

    if (proc < 0) {
        fprintf(stderr, "bproc-usage: cannot open /proc of the process space: %s\n",
                strerror(errno));
        return 1;
    }
    usage.node = atoi(argv[1]);
    while (!error && msg_recv_packet(SLAVED, &msg) == 0) {
        msg_free(&msg);
        error = usage_answer(proc, &usage);
    }
    if (error && error != -EPIPE)
        fprintf(stderr, "bproc-usage: cannot answer: %s\n", strerror(-error));
    return error != 0;
}
