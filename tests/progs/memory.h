/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory of which every word tells where it is, so that no page can stand for another. */
#ifndef TESTS_MEMORY_H
#define TESTS_MEMORY_H

#include <sys/mman.h>

#include "tests/progs/prog.h"

#define PAGE 4096UL
#define MIB (1UL << 20)
#define RW (PROT_READ | PROT_WRITE)

static char *region_make(size_t size)
{
    char *at = mmap(NULL, size, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(at != MAP_FAILED, "cannot map %zu bytes: %s", size, strerror(errno));
    return at;
}

static void words_write(char *at, size_t size)
{
    for (size_t i = 0; i < size; i += sizeof(uintptr_t))
        *(uintptr_t *)(void *)(at + i) = ((uintptr_t)at + i) * 0x9e3779b97f4a7c15UL;
}

static void words_expect(const char *what, const char *at, size_t size)
{
    for (size_t i = 0; i < size; i += sizeof(uintptr_t))
        CHECK(*(const uintptr_t *)(const void *)(at + i) ==
                  ((uintptr_t)at + i) * 0x9e3779b97f4a7c15UL,
              "%s: byte %zu of %zu differs", what, i, size);
}

static void zeros_expect(const char *what, const char *at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        CHECK(at[i] == 0, "%s: byte %zu is %d", what, i, at[i]);
}

#endif
