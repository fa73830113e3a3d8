/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <glob.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/bpcp_name.h"
#include "tools/bpcp_source.h"
#include "tools/bpcp_stream.h"

#define FTS_FLAGS (FTS_LOGICAL | FTS_NOCHDIR)

/*
 * Bits that would give the copy's owner, who may be another, more than the file's owner meant to
 * give away do not travel.
 */
static unsigned mode_of(const struct stat *st)
{
    unsigned mode = st->st_mode & 07777;

    if (st->st_uid != geteuid())
        mode &= ~(unsigned)S_ISUID;
    if (st->st_gid != getegid())
        mode &= ~(unsigned)S_ISGID;
    return mode;
}

static int entry_put(FILE *out, copy_kind kind, const char *name, const struct stat *st)
{
    copy_record record = { .kind = kind };
    copy_entry *entry = &record.copy_record_u.entry;

    entry->name = (char *)(uintptr_t)name;
    entry->mode = mode_of(st);
    entry->device = st->st_dev;
    entry->inode = st->st_ino;
    entry->accessed = (copy_time) { st->st_atim.tv_sec, (u_int)st->st_atim.tv_nsec };
    entry->modified = (copy_time) { st->st_mtim.tv_sec, (u_int)st->st_mtim.tv_nsec };
    return stream_put(out, &record);
}

static int mark_put(FILE *out, copy_kind kind)
{
    return stream_put(out, &(copy_record) { .kind = kind });
}

static int data_put(FILE *out, off_t offset, const void *bytes, size_t count)
{
    copy_record record = { .kind = COPY_DATA };
    int error;

    record.copy_record_u.data = (copy_data) { (uint64_t)offset, (u_int)count };
    error = stream_put(out, &record);
    return error ? error : stream_put_bytes(out, bytes, count);
}

static int file_end_put(FILE *out, off_t size, bool damaged)
{
    copy_record record = { .kind = COPY_FILE_END };

    record.copy_record_u.end = (copy_file_end) { (uint64_t)size, damaged };
    return stream_put(out, &record);
}

/* A file that is being sent. */
struct reading {
    const char *path;
    int fd;
    off_t size;             /* as far as it is known to go */
    bool damaged;
};

/* Has nobody any use for the rest of the present file? */
static bool file_refused(struct source *source)
{
    struct pollfd event = { .fd = source->refusals, .events = POLLIN };

    while (event.fd >= 0 && poll(&event, 1, 0) > 0) {
        uint32_t number = stream_get_refusal(event.fd);

        if (number == source->number)
            return true;
        if (number == 0)
            event.fd = source->refusals = -1;
    }
    return false;
}

/* Sends the bytes up to `end`, or up to where the file turns out to end. */
static int range_send(struct source *source, struct reading *file, off_t offset, off_t end)
{
    static char bytes[COPY_MAX_DATA];
    int error = 0;

    while (offset < end && !file->damaged && !error) {
        size_t want = end - offset < COPY_MAX_DATA ? (size_t)(end - offset) : COPY_MAX_DATA;
        ssize_t n = pread(file->fd, bytes, want, offset);

        if (file_refused(source)) {
            file->damaged = true;
        } else if (n < 0) {
            report_error(&source->report, "cannot read '%s': %s", file->path, strerror(errno));
            file->damaged = true;
        } else if (n == 0) {
            file->size = offset;
            break;
        } else {
            error = data_put(source->out, offset, bytes, (size_t)n);
            offset += n;
        }
    }
    return error;
}

/* Sends all that is no hole. A file system that knows of none shows one range. */
static int ranges_send(struct source *source, struct reading *file)
{
    off_t size = file->size, start, end = 0;
    int error = 0;

    while (!error && !file->damaged && end < size) {
        start = lseek(file->fd, end, SEEK_DATA);
        if (start < 0 && errno == ENXIO)
            break;
        if (start < 0)
            return range_send(source, file, end, size);
        end = lseek(file->fd, start, SEEK_HOLE);
        if (end < 0 || end > size)
            end = size;
        error = range_send(source, file, start, end);
    }
    return error;
}

/* Files of /proc and the like have contents and no size. */
static int contents_send(struct source *source, struct reading *file)
{
    return file->size > 0 ? ranges_send(source, file)
                          : range_send(source, file, 0, INT64_MAX);
}

/* Somebody may have cut it off meanwhile. What of sysfs claims to be longer than it is has not. */
static void size_check(struct source *source, struct reading *file, off_t before)
{
    struct stat st;

    if (file->damaged || fstat(file->fd, &st) < 0 || st.st_size >= before)
        return;
    report_error(&source->report, "cannot read '%s': It has become shorter meanwhile", file->path);
    file->damaged = true;
    if (file->size > st.st_size)
        file->size = st.st_size;
}

static int file_send(struct source *source, const char *path, const char *name)
{
    struct reading file = { .path = path };
    struct stat st;
    int error = 0;

    /* It may have become a pipe by now, which must not hold us up. */
    file.fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file.fd < 0 || fstat(file.fd, &st) < 0) {
        report_error(&source->report, "cannot read '%s': %s", path, strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        report_error(&source->report, "cannot copy '%s': Not a regular file", path);
    } else {
        file.size = st.st_size;
        source->number++;
        error = entry_put(source->out, COPY_FILE, name, &st);
        if (!error)
            error = contents_send(source, &file);
        size_check(source, &file, st.st_size);
        if (!error)
            error = file_end_put(source->out, file.size, file.damaged);
    }
    if (file.fd >= 0)
        close(file.fd);
    return error;
}

static int dir_send(struct source *source, FTS *tree, FTSENT *item, const char *name)
{
    if (source->recurse)
        return entry_put(source->out, COPY_DIR, name, item->fts_statp);
    report_error(&source->report, "cannot copy '%s': Is a directory, and without -r",
                 item->fts_path);
    fts_set(tree, item, FTS_SKIP);
    return 0;
}

static int item_send(struct source *source, FTS *tree, FTSENT *item, const char *name)
{
    switch (item->fts_info) {
    case FTS_D:
        return dir_send(source, tree, item, name);
    case FTS_DP:
        return source->recurse ? mark_put(source->out, COPY_DIR_END) : 0;
    case FTS_DNR:
        report_error(&source->report, "cannot read directory '%s': %s", item->fts_path,
                     strerror(item->fts_errno));
        return mark_put(source->out, COPY_DIR_END);
    case FTS_F:
        return file_send(source, item->fts_accpath, name);
    case FTS_DC:
        report_error(&source->report, "cannot copy '%s': It leads back to where it is",
                     item->fts_path);
        return 0;
    case FTS_DEFAULT:
        report_error(&source->report, "cannot copy '%s': Not a regular file", item->fts_path);
        return 0;
    default:
        report_error(&source->report, "cannot read '%s': %s", item->fts_path,
                     strerror(item->fts_errno ? item->fts_errno : ENOENT));
        return 0;
    }
}

/* A file or a tree. */
static int path_send(struct source *source, char *path)
{
    FTS *tree = fts_open((char *[]) { path, NULL }, FTS_FLAGS, NULL);
    char *name = name_of_copy(path);
    FTSENT *item;
    int error = tree && name ? 0 : -errno;

    while (!error && (item = fts_read(tree)) != NULL)
        error = item_send(source, tree, item, item->fts_level == 0 ? name : item->fts_name);
    if (tree)
        fts_close(tree);
    free(name);
    return error;
}

static int path_weigh(struct source *source, char *path)
{
    FTS *tree = fts_open((char *[]) { path, NULL }, FTS_FLAGS, NULL);
    FTSENT *item;

    while (tree && (item = fts_read(tree)) != NULL) {
        const struct stat *st = item->fts_statp;
        uint64_t stored = item->fts_info == FTS_F ? (uint64_t)st->st_blocks * 512 : 0;

        source->bytes += stored < (uint64_t)st->st_size ? stored : (uint64_t)st->st_size;
        if (item->fts_info == FTS_D && !source->recurse)
            fts_set(tree, item, FTS_SKIP);
    }
    if (tree)
        fts_close(tree);
    return 0;
}

typedef int path_use(struct source *source, char *path);

/* Uses what `path` stands for: itself, unless it is a pattern and there is no such file. */
static int path_expand(struct source *source, char *path, path_use *use)
{
    struct stat st;
    glob_t found;
    int error = 0;

    if (lstat(path, &st) == 0 || !name_is_pattern(path))
        return use(source, path);
    if (glob(path, GLOB_NOCHECK, NULL, &found) != 0)
        return -ENOMEM;
    for (size_t i = 0; i < found.gl_pathc && !error; i++)
        error = use(source, found.gl_pathv[i]);
    globfree(&found);
    return error;
}

int source_send(struct source *source, char **paths)
{
    int error = 0;

    for (size_t i = 0; source->total && paths[i] && !error; i++)
        error = path_expand(source, paths[i], path_weigh);
    if (!error)
        error = stream_put_head(source->out, source->bytes);
    for (size_t i = 0; paths[i] && !error; i++)
        error = path_expand(source, paths[i], path_send);
    if (!error)
        error = mark_put(source->out, COPY_END);
    if (!error && fflush(source->out) == EOF)
        error = -errno;
    return error;
}
