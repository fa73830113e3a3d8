/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fd.h"
#include "masterd/libraries.h"
#include "masterd/master.h"

#define MAX_FILE (1u << 20)

static const char *const usual[] = { "*.so", "*.so.*" };

static char *patterns[BPROC_MAX_LIBS + 1];
static lib_list list = { 0, patterns };

static void file_path(char *path, size_t len, const char *tail)
{
    snprintf(path, len, "%s/libraries%s", master.conf->state_dir, tail);
}

static int file_fill(FILE *file)
{
    int error;

    for (unsigned i = 0; i < list.lib_list_len; i++)
        fprintf(file, "%s\n", patterns[i]);
    error = fflush(file) != 0 || fsync(fileno(file)) < 0 ? -errno : 0;
    return fclose(file) != 0 && !error ? -errno : error;
}

static int file_write(void)
{
    char path[PATH_MAX + 32], fresh[PATH_MAX + 32];
    FILE *file;
    int error;

    file_path(path, sizeof(path), "");
    file_path(fresh, sizeof(fresh), ".new");
    file = fopen(fresh, "we");
    error = file ? file_fill(file) : -errno;
    if (!error && rename(fresh, path) < 0)
        error = -errno;
    return error;
}

static int pattern_find(const char *pattern)
{
    for (unsigned i = 0; i < list.lib_list_len; i++)
        if (strcmp(patterns[i], pattern) == 0)
            return (int)i;
    return -ENOENT;
}

static int pattern_add(const char *pattern)
{
    if (pattern_find(pattern) >= 0)
        return 0;
    if ((pattern[0] != '/' && pattern[0] != '*') || strchr(pattern, '\n'))
        return -EINVAL;
    if (list.lib_list_len == BPROC_MAX_LIBS)
        return -ENOSPC;
    patterns[list.lib_list_len] = strdup(pattern);
    if (!patterns[list.lib_list_len])
        return -ENOMEM;
    list.lib_list_len++;
    return 0;
}

static int text_take(char *text)
{
    int error = 0;

    for (char *line = strsep(&text, "\n"); line && !error; line = strsep(&text, "\n"))
        if (*line)
            error = pattern_add(line);
    return error;
}

static int usual_take(void)
{
    int error = 0;

    for (size_t i = 0; !error && i < sizeof(usual) / sizeof(usual[0]); i++)
        error = pattern_add(usual[i]);
    return error;
}

int libraries_start(char *text, size_t len)
{
    char path[PATH_MAX + 32], *bytes;
    size_t count;
    int error;

    file_path(path, sizeof(path), "");
    error = fd_read_file(path, MAX_FILE, &bytes, &count);
    if (error == -ENOENT) {
        error = usual_take();
    } else if (!error) {
        error = text_take(bytes);
        free(bytes);
    }
    if (error)
        snprintf(text, len, "cannot read %s: %s", path, strerror(-error));
    return error;
}

void libraries_stop(void)
{
    while (list.lib_list_len > 0)
        free(patterns[--list.lib_list_len]);
}

const lib_list *libraries_list(void)
{
    return &list;
}

static int pattern_delete(int at)
{
    char *pattern = at < 0 ? NULL : patterns[at];
    int error;

    if (at < 0)
        return at;
    memmove(&patterns[at], &patterns[at + 1],
            (--list.lib_list_len - (unsigned)at) * sizeof(patterns[0]));
    error = file_write();
    if (!error)
        free(pattern);
    else
        patterns[list.lib_list_len++] = pattern;
    return error;
}

static int all_clear(void)
{
    unsigned before = list.lib_list_len;
    int error;

    list.lib_list_len = 0;
    error = file_write();
    if (error)
        list.lib_list_len = before;
    else
        while (before > 0)
            free(patterns[--before]);
    return error;
}

int libraries_change(const lib_change_arg *arg)
{
    unsigned before = list.lib_list_len;
    int error;

    switch (arg->what) {
    case LIB_CLEAR:
        return all_clear();
    case LIB_DELETE:
        return pattern_delete(pattern_find(arg->pattern));
    case LIB_ADD:
        error = pattern_add(arg->pattern);
        if (!error && list.lib_list_len > before && (error = file_write()) < 0)
            free(patterns[--list.lib_list_len]);
        return error;
    default:
        return -EINVAL;
    }
}
