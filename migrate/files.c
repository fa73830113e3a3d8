/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <sys/bproc.h>

#include "common/path.h"
#include "migrate/filehash.h"
#include "migrate/files.h"

#define MAX_LINE (PATH_MAX + 128)
#define MAX_BUILD_ID 64

static int files_alloc(struct files *files)
{
    files->count = 0;
    files->list = calloc(BPROC_MAX_FILES, sizeof(*files->list));
    files->sources = calloc(BPROC_MAX_FILES, sizeof(*files->sources));
    if (files->list && files->sources)
        return 0;
    files_free(files);
    return -ENOMEM;
}

static int files_has(const struct files *files, const char *path)
{
    for (unsigned i = 0; i < files->count; i++)
        if (strcmp(files->list[i].path, path) == 0)
            return 1;
    return 0;
}

struct rules {
    const char *exe;
    int flags;
    const lib_list *libraries;
};

static int path_is_library(const char *path, const lib_list *libraries)
{
    for (unsigned i = 0; i < libraries->lib_list_len; i++)
        if (fnmatch(libraries->lib_list_val[i], path, 0) == 0)
            return 1;
    return 0;
}

static file_class class_of(const char *path, const struct rules *rules)
{
    if (strcmp(path, rules->exe) == 0)
        return FILE_EXEC;
    return path_is_library(path, rules->libraries) ? FILE_LIB : FILE_OTHER;
}

static int class_is_sent(file_class class, int flags, const char *path)
{
    char text[200];

    if (flags & FILES_LASTING && path_check(path, text, sizeof(text)) < 0)
        return 1;
    switch (class) {
    case FILE_EXEC:
        return (flags & BPROC_DUMP_EXEC) != 0;
    case FILE_LIB:
        return (flags & BPROC_DUMP_LIBS) != 0;
    default:
        return (flags & BPROC_DUMP_OTHER) != 0;
    }
}

static int entry_identify(mapped_file *file, int fd, const char *hash_dir)
{
    uint8_t id[MAX_BUILD_ID];
    struct stat st;
    size_t len;

    if (fstat(fd, &st) < 0)
        return -errno;
    file->size = (u_quad_t)st.st_size;
    if (file->sent)
        return filehash_cached(hash_dir, fd, &st, (uint8_t *)file->hash);
    len = filehash_build_id(fd, id, sizeof(id));
    if (len == 0)
        return 0;
    file->build_id.build_id_val = malloc(len);
    if (!file->build_id.build_id_val)
        return -ENOMEM;
    memcpy(file->build_id.build_id_val, id, len);
    file->build_id.build_id_len = (u_int)len;
    return 0;
}

static int entry_add(struct files *files, const char *path, file_class class, int sent,
                     const char *source, const char *hash_dir)
{
    mapped_file *file = &files->list[files->count];
    int fd, error;

    file->class = class;
    file->sent = sent;
    file->path = strdup(path);
    if (!file->path)
        return -ENOMEM;
    snprintf(files->sources[files->count++], sizeof(files->sources[0]), "%s", source);
    fd = open(source, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    error = entry_identify(file, fd, hash_dir);
    close(fd);
    return error;
}

/*
 * One line of /proc/PID/maps. What is written back through a shared mapping cannot be a copy in
 * a cache: it stays the node's own file, as an open file does.
 */
static int map_add(struct files *files, pid_t pid, char *line, const struct rules *rules,
                   const char *hash_dir)
{
    unsigned long start, end, inode;
    char perms[8], source[64];
    struct stat st;
    int at = 0;
    char *path;
    file_class class;

    if (sscanf(line, "%lx-%lx %7s %*s %*s %lu %n", &start, &end, perms, &inode, &at) < 4)
        return 0;
    path = line + at;
    path[strcspn(path, "\n")] = '\0';
    if (inode == 0 || path[0] != '/' || strstr(path, " (deleted)") || files_has(files, path))
        return 0;
    if (perms[1] == 'w' && perms[3] == 's')
        return 0;
    snprintf(source, sizeof(source), "/proc/%d/map_files/%lx-%lx", pid, start, end);
    /* A device has no content to send, and some, as /dev/zero, never end. */
    if (stat(source, &st) == 0 && !S_ISREG(st.st_mode))
        return 0;
    if (files->count == BPROC_MAX_FILES)
        return -EMFILE;
    class = class_of(path, rules);
    return entry_add(files, path, class, class_is_sent(class, rules->flags, path), source,
                     hash_dir);
}

int files_collect(struct files *files, pid_t pid, int flags, const lib_list *libraries,
                  const char *hash_dir, char *text, size_t len)
{
    char path[64], exe[PATH_MAX] = "", line[MAX_LINE];
    struct rules rules = { .exe = exe, .flags = flags, .libraries = libraries };
    int error = files_alloc(files);
    FILE *maps;

    if (error)
        return error;
    snprintf(path, sizeof(path), "/proc/%d/exe", pid);
    (void)!readlink(path, exe, sizeof(exe) - 1);
    snprintf(path, sizeof(path), "/proc/%d/maps", pid);
    maps = fopen(path, "re");
    if (!maps)
        error = -errno;
    while (!error && fgets(line, sizeof(line), maps))
        error = map_add(files, pid, line, &rules, hash_dir);
    if (maps)
        fclose(maps);
    if (error) {
        snprintf(text, len, "cannot read mapped file %s: %s",
                 files->count ? files->list[files->count - 1].path : path, strerror(-error));
        files_free(files);
    }
    return error;
}

int files_single(struct files *files, int fd, const char *hash_dir, char *text, size_t len)
{
    char source[64];
    int error = files_alloc(files);

    if (error)
        return error;
    snprintf(source, sizeof(source), "/proc/self/fd/%d", fd);
    error = entry_add(files, "/", FILE_EXEC, 1, source, hash_dir);
    if (error) {
        snprintf(text, len, "cannot read the executable: %s", strerror(-error));
        files_free(files);
    }
    return error;
}

int files_open(const struct files *files, unsigned index)
{
    int fd = open(files->sources[index], O_RDONLY | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

void files_free(struct files *files)
{
    for (unsigned i = 0; i < files->count; i++) {
        free(files->list[i].path);
        free(files->list[i].build_id.build_id_val);
    }
    free(files->list);
    free(files->sources);
    memset(files, 0, sizeof(*files));
}
