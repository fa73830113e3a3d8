/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-vector ROUNDS MIB LABEL NODES [LABEL NODES]...: times vrforks of a process with so much
 * memory, in turn, each onto its NODES, numbers with commas between them, until all children have
 * run and ended. The first round does not count: there the children look whether all of the memory
 * came along.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/bproc.h>

#include "bench/memory.h"
#include "bench/stopwatch.h"

#define NODES_MAX 1024

static int nodes_read(char *text, int nodes[NODES_MAX])
{
    int count = 0;

    for (char *word = strtok(text, ","); word && count < NODES_MAX; word = strtok(NULL, ","))
        nodes[count++] = atoi(word);
    return count;
}

static void vector_time(const char *label, int *nodes, int count, const uint64_t *memory,
                        size_t mib, int round)
{
    int pids[NODES_MAX];
    int64_t start = stopwatch_now();
    int rank = bproc_vrfork(count, nodes, pids);

    if (rank >= 0 && rank < count)
        _exit(round == 0 && !memory_is_whole(memory, mib));
    if (rank < 0)
        stopwatch_die("vrfork", label);
    for (int i = 0; i < count; i++) {
        if (pids[i] < 0) {
            fprintf(stderr, "bench: cannot vrfork onto node %d: %s\n", nodes[i],
                    bproc_strerror(-pids[i]));
            exit(1);
        }
        stopwatch_wait(label, pids[i]);
    }
    if (round > 0)
        stopwatch_print(label, start, 0);
}

int main(int argc, char **argv)
{
    int rounds = argc > 2 ? atoi(argv[1]) : 0, nodes[NODES_MAX];
    size_t mib = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    uint64_t *memory = memory_make(mib);

    if (argc < 5 || argc % 2 == 0) {
        fprintf(stderr, "usage: bench-vector ROUNDS MIB LABEL NODES [LABEL NODES]...\n");
        return 2;
    }
    if (mib > 0 && !memory)
        stopwatch_die("get memory of MiB", argv[2]);
    for (int round = 0; round <= rounds; round++)
        for (int i = 3; i < argc; i += 2) {
            char *text = strdup(argv[i + 1]);

            if (!text)
                stopwatch_die("read", argv[i + 1]);
            /* Nodes keep pages that they have had. */
            if (round > 0)
                memory_change(memory, mib);
            vector_time(argv[i], nodes, nodes_read(text, nodes), memory, mib, round);
            free(text);
        }
    return 0;
}
