/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "libbproc/clonable.h"
#include "libbproc/descriptors.h"

#define LINE 512

static int is_stream(const struct streams *set, int fd)
{
    for (unsigned i = 0; i < set->original_count; i++)
        if (set->originals[i] == fd)
            return 1;
    for (unsigned i = 0; i < set->count; i++)
        for (unsigned t = 0; t < set->descs[i].targets.targets_len; t++)
            if (set->descs[i].targets.targets_val[t] == fd)
                return 1;
    return 0;
}

static int is_device(int fd)
{
    struct stat st;

    /* One that is closed by now was that of the list itself. */
    return fstat(fd, &st) < 0 || S_ISCHR(st.st_mode);
}

static int descriptors_are_plain(const struct streams *set, const int *skip)
{
    size_t count;
    int *list, plain = 1;

    if (descriptors_list(&list, &count) < 0)
        return 0;
    for (size_t i = 0; plain && i < count; i++)
        plain = descriptors_have(skip, list[i]) || is_stream(set, list[i]) || is_device(list[i]);
    free(list);
    return plain;
}

static int memory_is_own(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[LINE], mode[8];
    int own = maps != NULL;

    while (own && fgets(line, sizeof(line), maps))
        if (sscanf(line, "%*x-%*x %7s", mode) == 1 && mode[1] == 'w' && mode[3] == 's')
            own = 0;
    if (maps)
        fclose(maps);
    return own;
}

int is_clonable(const struct streams *set, const struct io *io, const int *skip)
{
    for (unsigned i = 0; i < io->count; i++)
        if (io->items[i].is_file)
            return 0;
    return descriptors_are_plain(set, skip) && memory_is_own();
}
