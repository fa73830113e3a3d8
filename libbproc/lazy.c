/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "libbproc/lazy.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

#define LINE 512

static int incomplete;

void lazy_note(int lazy)
{
    incomplete = lazy;
}

static void region_complete(void *start, size_t size, const char *access)
{
    int none = memcmp(access, "---", 3) == 0;

    if (none)
        mprotect(start, size, PROT_READ);
    madvise(start, size, MADV_POPULATE_READ);
    if (none)
        mprotect(start, size, PROT_NONE);
}

/* The kernel's flag of regions whose missing pages somebody else brings. */
void lazy_complete(void)
{
    FILE *maps = incomplete ? fopen("/proc/self/smaps", "re") : NULL;
    unsigned long start = 0, end = 0;
    char line[LINE], access[5] = "";

    while (maps && fgets(line, sizeof(line), maps)) {
        if (sscanf(line, "%lx-%lx %4s", &start, &end, access) == 3)
            continue;
        if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " um"))
            region_complete((void *)start, end - start, access);
    }
    if (maps)
        fclose(maps);
    incomplete = 0;
}
