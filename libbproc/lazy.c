/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "libbproc/fences.h"
#include "libbproc/lazy.h"

#define LINE 512
#define PAGE 4096

static int incomplete;

void lazy_note(int lazy)
{
    incomplete = lazy;
}

/* By touching: a call that asks the kernel for it may stop in the middle. */
static void pages_touch(uintptr_t start, uintptr_t end)
{
    for (; start < end; start += PAGE)
        (void)*(volatile const char *)start;
}

static void region_complete(uintptr_t start, uintptr_t end, const char *access, int fences)
{
    int none = memcmp(access, "---", 3) == 0;
    uintptr_t at = start, fence[2];

    if (none)
        mprotect((void *)start, end - start, PROT_READ);
    for (; fences_find(fences, at, end, fence); at = fence[1])
        pages_touch(at, fence[0]);
    pages_touch(at, end);
    if (none)
        mprotect((void *)start, end - start, PROT_NONE);
}

/* The kernel's flag of regions whose missing pages somebody else brings. */
void lazy_complete(void)
{
    FILE *maps = incomplete ? fopen("/proc/self/smaps", "re") : NULL;
    int fences = maps ? fences_open() : -1;
    unsigned long start = 0, end = 0, low, high;
    char line[LINE], access[5] = "";

    while (maps && fgets(line, sizeof(line), maps)) {
        /* Names of fields may begin as a number does. */
        if (sscanf(line, "%lx-%lx %4s", &low, &high, access) == 3) {
            start = low;
            end = high;
        } else if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " um")) {
            region_complete(start, end, access, fences);
        }
    }
    if (maps)
        fclose(maps);
    fences_close(fences);
    incomplete = 0;
}
