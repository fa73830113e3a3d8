/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "libbproc/descriptors.h"

#define FIRST_ROOM 64

static int list_read(DIR *dir, int **list, size_t *count)
{
    size_t room = FIRST_ROOM;
    struct dirent *entry;

    while ((entry = readdir(dir))) {
        char *end;
        long fd = strtol(entry->d_name, &end, 10);

        if (*end || end == entry->d_name || fd == dirfd(dir))
            continue;
        if (*count == room) {
            int *more = realloc(*list, (room *= 2) * sizeof(**list));

            if (!more)
                return -ENOMEM;
            *list = more;
        }
        (*list)[(*count)++] = (int)fd;
    }
    return 0;
}

int descriptors_list(int **list, size_t *count)
{
    DIR *dir = opendir("/proc/self/fd");
    int error = dir ? 0 : -errno;

    *count = 0;
    *list = NULL;
    if (!error) {
        *list = malloc(FIRST_ROOM * sizeof(**list));
        error = *list ? list_read(dir, list, count) : -ENOMEM;
        closedir(dir);
    }
    if (error) {
        free(*list);
        *list = NULL;
        *count = 0;
    }
    return error;
}

int descriptors_have(const int *list, int fd)
{
    for (; *list >= 0; list++)
        if (*list == fd)
            return 1;
    return 0;
}

int descriptors_close(const int *keep)
{
    size_t count;
    int *list;
    int error = descriptors_list(&list, &count);

    for (size_t i = 0; i < count; i++)
        if (!descriptors_have(keep, list[i]))
            close(list[i]);
    free(list);
    return error;
}
