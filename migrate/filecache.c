/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "migrate/filecache.h"
#include "migrate/mappednames.h"
#include "migrate/rootopen.h"

#define CACHE_MODE 0755             /* users' processes have them as executables and libraries */
#define TEMPORARY "incoming-"
#define STALE_SECONDS 3600          /* an unfinished file of a transfer that was cut off */

void filecache_path(const struct filecache *cache, const uint8_t hash[FILEHASH_LEN], char *path,
                    size_t len)
{
    char hex[FILEHASH_HEX];

    filehash_hex(hash, hex);
    snprintf(path, len, "%s/%s", cache->dir, hex);
}

int filecache_open(const struct filecache *cache, const uint8_t hash[FILEHASH_LEN])
{
    char path[4200];
    struct stat st;
    int fd;

    filecache_path(cache, hash, path, sizeof(path));
    fd = rootopen(cache->root, path, O_RDONLY | O_NOFOLLOW);
    if (fd < 0)
        return fd;
    futimens(fd, NULL);
    /* Until it is mapped; the folder's lock can be another's for as long as a restore takes. */
    flock(fd, LOCK_SH | LOCK_NB);
    if (fstat(fd, &st) == 0 && st.st_nlink > 0)
        return fd;
    close(fd);
    return -ENOENT;
}

int filecache_create(const struct filecache *cache, uint64_t size, char name[64])
{
    char path[4200];
    int fd;

    if (size > cache->limit)
        return -ENOSPC;
    snprintf(path, sizeof(path), "%s/" TEMPORARY "XXXXXX", cache->dir);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    /* It is not to make room for itself before it is mapped. */
    flock(fd, LOCK_SH | LOCK_NB);
    snprintf(name, 64, "%s", strrchr(path, '/') + 1);
    if (size > 0 && fallocate(fd, 0, 0, (off_t)size) < 0 && errno != EOPNOTSUPP) {
        int error = -errno;

        close(fd);
        filecache_drop(cache, name);
        return error;
    }
    return fd;
}

void filecache_drop(const struct filecache *cache, const char *name)
{
    char path[4200];

    snprintf(path, sizeof(path), "%s/%s", cache->dir, name);
    unlink(path);
}

struct cached {
    char name[FILEHASH_HEX];
    uint64_t size;
    struct timespec used;
    bool is_mapped;
};

static int cached_older(const void *a, const void *b)
{
    const struct cached *x = a, *y = b;

    if (x->used.tv_sec != y->used.tv_sec)
        return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
    return x->used.tv_nsec < y->used.tv_nsec ? -1 : x->used.tv_nsec > y->used.tv_nsec;
}

static int cached_by_name(const void *a, const void *b)
{
    const struct cached *x = a, *y = b;

    return strcmp(x->name, y->name);
}

struct cached_list {
    struct cached *list;
    size_t count;
};

static void cached_mark(const char *name, void *arg)
{
    const struct cached_list *cached = arg;
    struct cached key, *found;

    if (strlen(name) != FILEHASH_HEX - 1)
        return;
    memcpy(key.name, name, FILEHASH_HEX);
    found = bsearch(&key, cached->list, cached->count, sizeof(key), cached_by_name);
    if (found)
        found->is_mapped = true;
}

/* All finished files; unfinished ones that nobody can be filling any more are removed. */
static struct cached *cache_list(int dir_fd, size_t *count)
{
    DIR *dir = fdopendir(dup(dir_fd));
    struct cached *list = NULL;
    size_t room = 0;
    struct dirent *entry;

    *count = 0;
    while (dir && (entry = readdir(dir))) {
        struct stat st;

        if (entry->d_name[0] == '.' || fstatat(dir_fd, entry->d_name, &st, 0) < 0)
            continue;
        if (strlen(entry->d_name) != FILEHASH_HEX - 1) {
            if (st.st_mtim.tv_sec + STALE_SECONDS < time(NULL))
                unlinkat(dir_fd, entry->d_name, 0);
            continue;
        }
        if (*count == room) {
            struct cached *more = realloc(list, (room = room ? room * 2 : 64) * sizeof(*list));

            if (!more)
                break;
            list = more;
        }
        memcpy(list[*count].name, entry->d_name, FILEHASH_HEX);
        list[*count].is_mapped = false;
        list[*count].size = (uint64_t)st.st_size;
        list[(*count)++].used = st.st_mtim;
    }
    if (dir)
        closedir(dir);
    return list;
}

static int cached_open(int dir_fd, const struct cached *file)
{
    return openat(dir_fd, file->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

/* Somebody has opened it, and is about to have it mapped. */
static bool cached_is_held(int dir_fd, const struct cached *file)
{
    int fd = cached_open(dir_fd, file);
    bool held = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;

    if (fd >= 0)
        close(fd);
    return held;
}

/* Unless it has been opened since it was listed, as it may be mapped by now. */
static bool cached_remove(int dir_fd, const struct cached *file)
{
    int fd = cached_open(dir_fd, file);
    struct stat st;
    bool gone;

    if (fd < 0)
        return errno == ENOENT;
    gone = flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 &&
           st.st_mtim.tv_sec == file->used.tv_sec && st.st_mtim.tv_nsec == file->used.tv_nsec &&
           unlinkat(dir_fd, file->name, 0) == 0;
    close(fd);
    return gone;
}

/*
 * Which are mapped is found out before the folder is locked: there may be many processes. Who has
 * opened one by now may have it mapped, and closed, when its process has been looked at.
 */
static uint64_t cache_look(const struct filecache *cache, int dir_fd, struct cached_list *cached)
{
    uint64_t total = 0;

    cached->list = cache_list(dir_fd, &cached->count);
    for (size_t i = 0; i < cached->count; i++)
        total += cached->list[i].size;
    if (total <= cache->limit)
        return total;
    for (size_t i = 0; i < cached->count; i++)
        cached->list[i].is_mapped = cached_is_held(dir_fd, &cached->list[i]);
    qsort(cached->list, cached->count, sizeof(*cached->list), cached_by_name);
    if (mappednames_visit(cached_mark, cached) < 0)
        total = 0;
    qsort(cached->list, cached->count, sizeof(*cached->list), cached_older);
    return total;
}

int filecache_trim(const struct filecache *cache)
{
    int dir = open(cache->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct cached_list cached = { .count = 0 };
    uint64_t total;

    if (dir < 0)
        return -errno;
    total = cache_look(cache, dir, &cached);
    if (total > cache->limit)
        flock(dir, LOCK_EX);
    for (size_t i = 0; i < cached.count && total > cache->limit; i++)
        if (!cached.list[i].is_mapped && cached_remove(dir, &cached.list[i]))
            total -= cached.list[i].size;
    free(cached.list);
    close(dir);
    return 0;
}

int filecache_lock(const struct filecache *cache)
{
    int dir = open(cache->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error;

    if (dir < 0)
        return -errno;
    if (flock(dir, LOCK_EX) == 0)
        return dir;
    error = -errno;
    close(dir);
    return error;
}

int filecache_purge(const struct filecache *cache)
{
    const struct filecache empty = { .dir = cache->dir, .limit = 0 };

    return filecache_trim(&empty);
}

int filecache_keep(const struct filecache *cache, int fd, const char *name,
                   const uint8_t hash[FILEHASH_LEN])
{
    int dir = open(cache->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    uint8_t real[FILEHASH_LEN];
    char hex[FILEHASH_HEX];
    int error;

    if (dir < 0)
        return -errno;
    error = filehash_fd(fd, real);
    if (!error && memcmp(real, hash, FILEHASH_LEN) != 0)
        error = -EBADMSG;
    filehash_hex(hash, hex);
    if (!error && fchmod(fd, CACHE_MODE) < 0)
        error = -errno;
    /* What somebody else has brought meanwhile keeps its name: it may be mapped. */
    if (!error && linkat(dir, name, dir, hex, 0) < 0 && errno != EEXIST)
        error = -errno;
    if (!error)
        unlinkat(dir, name, 0);
    close(dir);
    return error;
}
