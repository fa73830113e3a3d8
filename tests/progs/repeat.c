/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * repeat NODE MIB SEED [CHANGED]: forks itself onto the node with so many MiB that the seed alone
 * decides, but for the first CHANGED pages. "ok" if the child has them as they were. A MIB of 0 and
 * a seed make a small process; a seed of 0 with memory is one of empty pages.
 */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE_WORDS 512u

static void memory_fill(uint64_t *words, size_t count, uint64_t seed, size_t changed)
{
    uint64_t value = seed * 0x9e3779b97f4a7c15u;

    for (size_t i = 0; i < count; i++) {
        value ^= value << 13;
        value ^= value >> 7;
        value ^= value << 17;
        words[i] = i < changed * PAGE_WORDS ? value ^ (uint64_t)getpid() << 32 : value;
    }
}

static uint64_t memory_sum(const uint64_t *words, size_t count)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum = (sum << 1 | sum >> 63) ^ words[i];
    return sum;
}

int main(int argc, char **argv)
{
    size_t bytes = argc > 3 ? (size_t)atoi(argv[2]) << 20 : 0;
    uint64_t *words = bytes ? mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) : NULL;
    uint64_t sum;
    int pid, status = -1;

    if (argc < 4 || words == MAP_FAILED)
        return 2;
    memory_fill(words, bytes / 8, strtoull(argv[3], NULL, 0),
                argc > 4 ? (size_t)atoi(argv[4]) : 0);
    sum = memory_sum(words, bytes / 8);
    pid = bproc_rfork(atoi(argv[1]));
    if (pid == 0)
        _exit(memory_sum(words, bytes / 8) != sum);
    if (pid < 0) {
        perror("repeat: rfork");
        return 1;
    }
    waitpid(pid, &status, 0);
    puts(status == 0 ? "ok" : "differs");
    return status != 0;
}
