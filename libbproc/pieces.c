/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libbproc/fences.h"
#include "libbproc/pieces.h"

#define LEAST (256UL << 10)             /* below it a region is CRIU's */
#define MOST (1UL << 36)                /* above it a region is mostly holes: CRIU's, too */
#define MARGIN (256UL << 10)            /* about the stack pointer and the thread's own data */
#define KEPT 3
#define LINE 512

struct finder {
    struct pieces *pieces;
    uintptr_t keep[KEPT][2];            /* what a process needs before it has its memory */
    int fences;
};

static void piece_add(struct pieces *pieces, uintptr_t start, uintptr_t end)
{
    size_t size = end > start ? end - start : 0;

    if (size < LEAST || size > MOST || pieces->count == BPROC_MAX_REGIONS)
        return;
    pieces->list[pieces->count++] = (struct piece){ .start = start, .size = size };
    pieces->total += size;
}

/* Fences are CRIU's: nobody can put them up for another process. */
static void fenced_add(struct finder *finder, uintptr_t start, uintptr_t end)
{
    uintptr_t fence[2];

    while (end > start && end - start >= LEAST && end - start <= MOST &&
           fences_find(finder->fences, start, end, fence)) {
        piece_add(finder->pieces, start, fence[0]);
        start = fence[1];
    }
    piece_add(finder->pieces, start, end);
}

/* A region without what is to be kept of it. */
static void region_add(struct finder *finder, uintptr_t start, uintptr_t end, unsigned keep)
{
    for (; keep < KEPT; keep++) {
        const uintptr_t *kept = finder->keep[keep];

        if (kept[0] < end && kept[1] > start) {
            region_add(finder, start, kept[0], keep + 1);
            region_add(finder, kept[1], end, keep + 1);
            return;
        }
    }
    fenced_add(finder, start, end);
}

/* Private, anonymous, and not the kernel's own; what cannot be read, the mover could not either. */
static int line_take(const char *line, uintptr_t *start, uintptr_t *end)
{
    char access[5], name[16] = "";
    unsigned long inode;

    if (sscanf(line, "%lx-%lx %4s %*s %*s %lu %15s", start, end, access, &inode, name) < 4)
        return 0;
    return access[3] == 'p' && access[0] == 'r' && inode == 0 &&
           (!name[0] || strcmp(name, "[heap]") == 0 || strncmp(name, "[anon:", 6) == 0);
}

static void keep_set(uintptr_t kept[2], uintptr_t low, uintptr_t high)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

    kept[0] = low & ~(page - 1);
    kept[1] = (high + page - 1) & ~(page - 1);
}

void pieces_find(struct pieces *pieces, const void *own, size_t size)
{
    uintptr_t stack = (uintptr_t)__builtin_frame_address(0), thread = (uintptr_t)pthread_self();
    struct finder finder = { .pieces = pieces, .fences = fences_open() };
    FILE *maps = fopen("/proc/self/maps", "re");
    uintptr_t start, end;
    char line[LINE];

    keep_set(finder.keep[0], stack - MARGIN, stack + MARGIN);
    keep_set(finder.keep[1], thread - MARGIN, thread + MARGIN);
    keep_set(finder.keep[2], (uintptr_t)own, (uintptr_t)own + size);
    while (maps && fgets(line, sizeof(line), maps)) {
        if (line_take(line, &start, &end))
            region_add(&finder, start, end, 0);
        /* The rest of a longer one. */
        while (!strchr(line, '\n') && fgets(line, sizeof(line), maps))
            continue;
    }
    if (maps)
        fclose(maps);
    fences_close(finder.fences);
}
