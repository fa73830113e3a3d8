/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/bpcp_file.h"
#include "tools/bpcp_name.h"
#include "tools/bpcp_same.h"
#include "tools/bpcp_stream.h"
#include "tools/bpcp_target.h"

/* Bytes that are read at once where others are moved. */
#define PIECE 65536

/* A directory that is being filled. */
struct level {
    size_t parent_len;      /* of the path */
    bool made;              /* by us */
    unsigned mode;
    struct timespec times[2];
};

struct taking {
    struct target *target;
    unsigned tops;          /* copies in or at the target so far */
    char path[PATH_MAX];    /* of the current directory; empty: above the target */
    size_t len;
    struct level *levels;
    size_t depth, room;
    size_t skipped;         /* directories that could not be made, one in the other */
    mode_t umask_bits;
    bool in_file;
    bool full;              /* the last data were as many as may be at once */
    bool unmoved;           /* the file takes only what was read */
    uint32_t number;        /* of the file */
    uint32_t refused;       /* the last one that was */
    struct file file;
};

static bool was_asked(const struct target *target, const char *name)
{
    for (size_t i = 0; target->asked[i]; i++)
        if (name_answers(name, target->asked[i]))
            return true;
    return false;
}

/* Path of what comes next above the target. */
static int top_path(struct taking *taking, const char *name, char *path)
{
    const struct target *target = taking->target;
    const char *suffix = target->suffix;
    int len;

    if (!was_asked(target, name))
        return -EPROTO;
    if (taking->tops++ > 0 && !target->is_dir)
        return -ENOTDIR;
    if (*name == '\0' && *suffix == '.')
        suffix++;
    if (!target->is_dir || (*name == '\0' && *suffix == '\0'))
        len = snprintf(path, PATH_MAX, "%s", target->path);
    else
        len = snprintf(path, PATH_MAX, "%s/%s%s", target->path, name, suffix);
    return len < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/*
 * Path of `name` to path[PATH_MAX]. 0; -EPROTO when it may not be; another -errno when it cannot,
 * which is reported.
 */
static int path_make(struct taking *taking, const char *name, char *path)
{
    int error = 0;

    if (taking->depth == 0)
        error = top_path(taking, name, path);
    else if (*name == '\0')
        error = -EPROTO;
    else if (snprintf(path, PATH_MAX, "%s/%s", taking->path, name) >= PATH_MAX)
        error = -ENAMETOOLONG;
    if (error && error != -EPROTO)
        report_error(&taking->target->report, "cannot copy '%s' to '%s': %s", name,
                     taking->depth ? taking->path : taking->target->path, strerror(-error));
    return error;
}

static int level_push(struct taking *taking, const copy_entry *entry, bool made)
{
    struct level *level;

    if (taking->depth == taking->room) {
        size_t room = taking->room ? 2 * taking->room : 16;
        struct level *levels = reallocarray(taking->levels, room, sizeof(*levels));

        if (!levels)
            return -ENOMEM;
        taking->levels = levels;
        taking->room = room;
    }
    level = &taking->levels[taking->depth++];
    *level = (struct level) { .parent_len = taking->len, .made = made, .mode = entry->mode };
    level->times[0] = (struct timespec) { entry->accessed.seconds, entry->accessed.nanoseconds };
    level->times[1] = (struct timespec) { entry->modified.seconds, entry->modified.nanoseconds };
    return 0;
}

/* 1 when it was made, 0 when it is there already, else -errno. */
static int dir_make(const char *path, unsigned mode)
{
    struct stat st;

    /* Writable for us as long as it is being filled. */
    if (mkdir(path, (mode & 0777) | S_IRWXU) == 0)
        return 1;
    if (errno != EEXIST || stat(path, &st) < 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

static int dir_begin(struct taking *taking, const copy_entry *entry)
{
    char path[PATH_MAX];
    int result;

    if (taking->skipped > 0) {
        taking->skipped++;
        return 0;
    }
    result = path_make(taking, entry->name, path);
    if (result == -EPROTO)
        return result;
    if (result == 0 && taking->target->beside && same_tree(path, entry)) {
        report_error(&taking->target->report,
                     "cannot copy to '%s': It is in the directory that is copied", path);
        result = -ELOOP;
    }
    if (result == 0) {
        result = dir_make(path, entry->mode);
        if (result < 0)
            report_error(&taking->target->report, "cannot make directory '%s': %s", path,
                         strerror(-result));
    }
    if (result < 0) {
        taking->skipped = 1;
        return 0;
    }
    result = level_push(taking, entry, result == 1);
    taking->len = strlen(strcpy(taking->path, path));
    return result;
}

static int dir_settle(const struct taking *taking, const struct level *level)
{
    if (taking->target->preserve) {
        if (chmod(taking->path, level->mode) < 0)
            return -1;
        return utimensat(AT_FDCWD, taking->path, level->times, 0);
    }
    if (level->made && (level->mode & S_IRWXU) != S_IRWXU)
        return chmod(taking->path, level->mode & 0777 & ~taking->umask_bits);
    return 0;
}

static int dir_end(struct taking *taking)
{
    struct level *level;

    if (taking->skipped > 0) {
        taking->skipped--;
        return 0;
    }
    if (taking->depth == 0)
        return -EPROTO;
    level = &taking->levels[--taking->depth];
    if (dir_settle(taking, level) < 0)
        report_error(&taking->target->report, "cannot finish directory '%s': %s", taking->path,
                     strerror(errno));
    taking->len = level->parent_len;
    taking->path[taking->len] = '\0';
    return 0;
}

static int file_begin(struct taking *taking, const copy_entry *entry)
{
    char path[PATH_MAX];
    int error;

    taking->in_file = true;
    taking->full = taking->unmoved = false;
    taking->number++;
    taking->file.fd = -1;
    if (taking->skipped > 0)
        return 0;
    error = path_make(taking, entry->name, path);
    if (error == 0 && taking->target->beside && same_file(path, entry))
        report_error(&taking->target->report,
                     "cannot copy to '%s': It is the file that is copied", path);
    else if (error == 0)
        file_open(&taking->file, path, entry, &taking->target->report);
    return error == -EPROTO ? error : 0;
}

/* It is of no consequence if nobody hears: the rest of the file comes and is dropped. */
static void file_refuse(struct taking *taking)
{
    const struct target *target = taking->target;

    if (target->refuse && taking->refused != taking->number)
        target->refuse(target->arg, taking->number);
    taking->refused = taking->number;
}

/* How many bytes got to the file without being read; 0: some have to be. */
static uint32_t data_move(struct taking *taking, const copy_data *data, uint32_t done)
{
    const struct target *target = taking->target;
    off_t offset = (off_t)(data->offset + done);
    int fd = file_reach(&taking->file, offset, &taking->target->report);
    ssize_t n;

    if (fd < 0 || taking->unmoved)
        return 0;
    n = target->move(target->arg, fd, &offset, data->count - done, taking->full);
    file_reached(&taking->file, offset);
    taking->unmoved = n < 0;
    return n > 0 ? (uint32_t)n : 0;
}

static int data_read(struct taking *taking, off_t offset, uint32_t count)
{
    static char bytes[COPY_MAX_DATA];
    int error = stream_get_bytes(&taking->target->in, bytes, count);

    if (!error)
        file_write(&taking->file, offset, bytes, count, &taking->target->report);
    return error;
}

/* Of long files, full records are moved and the one behind them. */
static int data_take(struct taking *taking, const copy_data *data)
{
    bool moves = taking->target->move && (taking->full || data->count == COPY_MAX_DATA);
    uint32_t done = 0, n;
    int error = 0;

    taking->full = data->count == COPY_MAX_DATA;
    while (done < data->count && !error) {
        n = moves ? data_move(taking, data, done) : 0;
        if (n == 0) {
            n = data->count - done;
            if (moves && n > PIECE)
                n = PIECE;
            error = data_read(taking, (off_t)(data->offset + done), n);
        }
        done += n;
    }
    if (taking->file.fd < 0)
        file_refuse(taking);
    return error;
}

static int file_end(struct taking *taking, const copy_file_end *end)
{
    taking->in_file = false;
    file_close(&taking->file, end, taking->target->preserve, &taking->target->report);
    return 0;
}

/* 0 to go on. */
static int record_take(struct taking *taking, const copy_record *record)
{
    bool of_file = record->kind == COPY_DATA || record->kind == COPY_FILE_END;

    if (of_file != taking->in_file)
        return -EPROTO;
    switch (record->kind) {
    case COPY_DIR: return dir_begin(taking, &record->copy_record_u.entry);
    case COPY_DIR_END: return dir_end(taking);
    case COPY_FILE: return file_begin(taking, &record->copy_record_u.entry);
    case COPY_DATA: return data_take(taking, &record->copy_record_u.data);
    case COPY_FILE_END: return file_end(taking, &record->copy_record_u.end);
    case COPY_END: return taking->depth + taking->skipped > 0 ? -EPROTO : 0;
    }
    return -EPROTO;
}

static int records_take(struct taking *taking)
{
    copy_record record;
    copy_kind kind;
    int error;

    do {
        error = stream_get(&taking->target->in, &record);
        /* There is always a COPY_END. */
        if (error)
            return -EPROTO;
        error = record_take(taking, &record);
        kind = record.kind;
        stream_free(&record);
    } while (!error && kind != COPY_END);
    return error;
}

bool target_check(struct target *target)
{
    struct stat st;
    int error = stat(target->path, &st) < 0 ? errno : 0;

    target->is_dir = !error && S_ISDIR(st.st_mode);
    if (target->is_dir || !target->directory)
        return true;
    report_error(&target->report, "cannot copy to '%s': %s", target->path,
                 strerror(error ? error : ENOTDIR));
    return false;
}

int target_receive(struct target *target)
{
    struct taking taking = { .target = target, .file = { .fd = -1 } };
    copy_head head;
    int error;

    taking.umask_bits = umask(0);
    umask(taking.umask_bits);
    error = stream_get_head(&target->in, &head);
    if (!error)
        error = records_take(&taking);
    file_abandon(&taking.file);
    free(taking.levels);
    return error;
}
