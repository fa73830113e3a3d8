/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "migrate/mappednames.h"

#define MAX_LINE (PATH_MAX + 128)

/* A process that is gone, or has no memory of its own, has nothing mapped. */
static void process_visit(const char *pid, void (*found)(const char *name, void *arg), void *arg)
{
    char path[32 + NAME_MAX], line[MAX_LINE];
    FILE *maps;

    snprintf(path, sizeof(path), "/proc/%s/maps", pid);
    maps = fopen(path, "re");
    if (!maps)
        return;
    while (fgets(line, sizeof(line), maps)) {
        const char *last = strrchr(line, '/');

        line[strcspn(line, "\n")] = '\0';
        if (last)
            found(last + 1, arg);
    }
    fclose(maps);
}

int mappednames_visit(void (*found)(const char *name, void *arg), void *arg)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;

    if (!dir)
        return -errno;
    while ((entry = readdir(dir)))
        if (isdigit((unsigned char)entry->d_name[0]))
            process_visit(entry->d_name, found, arg);
    closedir(dir);
    return 0;
}
