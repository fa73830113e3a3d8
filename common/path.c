/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/path.h"

static int part_check(const char *part, int is_last, char *text, size_t len)
{
    struct stat st;

    if (stat(part, &st) < 0) {
        int error = errno;

        snprintf(text, len, "cannot look at %s: %s", part, strerror(error));
        return -error;
    }
    if (st.st_uid != 0 && st.st_uid != geteuid()) {
        snprintf(text, len, "%s belongs to uid %u, not to root", part, (unsigned)st.st_uid);
        return -EACCES;
    }
    if ((st.st_mode & 022) && (is_last || !(st.st_mode & S_ISVTX))) {
        snprintf(text, len, "%s can be written by others than its owner", part);
        return -EACCES;
    }
    return 0;
}

int path_check(const char *path, char *text, size_t len)
{
    char real[PATH_MAX];
    int error;

    if (path[0] != '/') {
        snprintf(text, len, "%s is not an absolute path", path);
        return -EINVAL;
    }
    if (!realpath(path, real)) {
        error = errno;
        snprintf(text, len, "cannot look at %s: %s", path, strerror(error));
        return -error;
    }
    error = part_check(real, 1, text, len);
    for (char *slash = strrchr(real, '/'); !error && slash != real; slash = strrchr(real, '/')) {
        *slash = '\0';
        error = part_check(real, 0, text, len);
    }
    return error ? error : part_check("/", 0, text, len);
}
