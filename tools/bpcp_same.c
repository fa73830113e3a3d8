/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/bpcp_same.h"

static bool is_entry(const struct stat *st, const copy_entry *entry)
{
    return st->st_dev == entry->device && st->st_ino == entry->inode;
}

bool same_file(const char *path, const copy_entry *entry)
{
    struct stat st;

    return stat(path, &st) == 0 && is_entry(&st, entry);
}

/* The directory, or where it would be made; -1. */
static int nearest_open(const char *path)
{
    char copy[PATH_MAX];
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0 || errno != ENOENT)
        return fd;
    snprintf(copy, sizeof(copy), "%s", path);
    return open(dirname(copy), O_PATH | O_DIRECTORY | O_CLOEXEC);
}

bool same_tree(const char *path, const copy_entry *entry)
{
    struct stat st, above;
    int dir = nearest_open(path), parent;
    bool same = false;

    if (dir >= 0 && fstat(dir, &above) == 0) {
        do {
            st = above;
            same = is_entry(&st, entry);
            parent = openat(dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
            close(dir);
            dir = parent;
        } while (!same && dir >= 0 && fstat(dir, &above) == 0 &&
                 (above.st_dev != st.st_dev || above.st_ino != st.st_ino));
    }
    if (dir >= 0)
        close(dir);
    return same;
}
