/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <string.h>
#include <sys/mman.h>

#include "bench/memory.h"

#define WORDS_PER_MIB ((1 << 20) / sizeof(uint64_t))
#define WORDS_PER_PAGE (4096 / sizeof(uint64_t))
#define SEED 0x9e3779b97f4a7c15ULL

static uint64_t word_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

uint64_t *memory_make(size_t mib)
{
    size_t count = mib * WORDS_PER_MIB;
    uint64_t state = SEED;
    uint64_t *memory;

    if (mib == 0)
        return NULL;
    memory = mmap(NULL, mib << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    for (size_t i = 0; i < count; i++)
        memory[i] = word_next(&state);
    return memory;
}

/* The first word of each page tells: all of them follow from the seed. */
int memory_is_whole(const uint64_t *memory, size_t mib)
{
    size_t count = mib * WORDS_PER_MIB;
    uint64_t state = SEED;

    for (size_t i = 0; i < count; i++) {
        uint64_t word = word_next(&state);

        if (i % WORDS_PER_PAGE == 0 && memory[i] != word)
            return 0;
    }
    return 1;
}

void memory_clear(uint64_t *memory, size_t mib)
{
    memset(memory, 0, mib << 20);
}

int memory_is_clear(const uint64_t *memory, size_t mib)
{
    for (size_t i = 0; i < mib * WORDS_PER_MIB; i++)
        if (memory[i] != 0)
            return 0;
    return 1;
}

void memory_change(uint64_t *memory, size_t mib)
{
    for (size_t i = 0; i < mib * WORDS_PER_MIB; i++)
        memory[i] += SEED;
}
