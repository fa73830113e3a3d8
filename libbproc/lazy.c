/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "libbproc/lazy.h"

#define LINE 512
#define PAGE 4096

static int incomplete;

void lazy_note(int lazy)
{
    incomplete = lazy;
}

/* By touching: a call that asks the kernel for it may stop in the middle. */
static void region_complete(volatile const char *start, size_t size, const char *access)
{
    int none = memcmp(access, "---", 3) == 0;

    if (none)
        mprotect((void *)(uintptr_t)start, size, PROT_READ);
    for (size_t at = 0; at < size; at += PAGE)
        (void)start[at];
    if (none)
        mprotect((void *)(uintptr_t)start, size, PROT_NONE);
}

/* The kernel's flag of regions whose missing pages somebody else brings. */
void lazy_complete(void)
{
    FILE *maps = incomplete ? fopen("/proc/self/smaps", "re") : NULL;
    unsigned long start = 0, end = 0, low, high;
    char line[LINE], access[5] = "";

    while (maps && fgets(line, sizeof(line), maps)) {
        /* Names of fields may begin as a number does. */
        if (sscanf(line, "%lx-%lx %4s", &low, &high, access) == 3) {
            start = low;
            end = high;
        } else if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " um")) {
            region_complete((const char *)start, end - start, access);
        }
    }
    if (maps)
        fclose(maps);
    incomplete = 0;
}
