/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/bpcp_file.h"

void file_abandon(struct file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

static void file_fail(struct file *file, const char *verb, struct report *report)
{
    report_error(report, "cannot %s '%s': %s", verb, file->path, strerror(errno));
    file_abandon(file);
}

void file_open(struct file *file, const char *path, const copy_entry *entry,
               struct report *report)
{
    struct stat st;

    *file = (struct file) { .fd = -1, .mode = entry->mode };
    snprintf(file->path, sizeof(file->path), "%s", path);
    file->times[0] = (struct timespec) { entry->accessed.seconds, entry->accessed.nanoseconds };
    file->times[1] = (struct timespec) { entry->modified.seconds, entry->modified.nanoseconds };
    file->fd = open(path, O_WRONLY | O_CREAT | O_NOCTTY | O_CLOEXEC, entry->mode & 0777);
    if (file->fd < 0 || fstat(file->fd, &st) < 0) {
        file_fail(file, "write", report);
        return;
    }
    file->regular = S_ISREG(st.st_mode);
    file->old_size = st.st_size;
}

/* Writes all of it; what is no regular file takes bytes in their order only. */
static int bytes_put(const struct file *file, off_t offset, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t n = file->regular ? pwrite(file->fd, bytes, count, offset)
                                  : write(file->fd, bytes, count);

        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            bytes += n;
            offset += n;
            count -= (size_t)n;
        }
    }
    return 0;
}

static int zeros_put(const struct file *file, off_t from, off_t to)
{
    static const char zeros[65536];

    while (from < to) {
        size_t n = to - from < (off_t)sizeof(zeros) ? (size_t)(to - from) : sizeof(zeros);

        if (bytes_put(file, from, zeros, n) < 0)
            return -1;
        from += (off_t)n;
    }
    return 0;
}

/* Makes [file->end, to) read as zeros. Behind the old end it does so by itself. */
static int hole_put(const struct file *file, off_t to)
{
    if (!file->regular)
        return zeros_put(file, file->end, to);
    if (to > file->old_size)
        to = file->old_size;
    if (to <= file->end)
        return 0;
    if (fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, file->end,
                  to - file->end) == 0)
        return 0;
    return zeros_put(file, file->end, to);
}

void file_write(struct file *file, off_t offset, const void *bytes, size_t count,
                struct report *report)
{
    if (file->fd < 0)
        return;
    if (hole_put(file, offset) < 0 || bytes_put(file, offset, bytes, count) < 0)
        file_fail(file, "write", report);
    file->end = offset + (off_t)count;
}

int file_reach(struct file *file, off_t offset, struct report *report)
{
    if (file->fd < 0 || !file->regular)
        return -1;
    if (hole_put(file, offset) < 0)
        file_fail(file, "write", report);
    file->end = offset;
    return file->fd;
}

void file_reached(struct file *file, off_t offset)
{
    file->end = offset;
}

static int file_settle(const struct file *file, const copy_file_end *end, bool preserve)
{
    if (hole_put(file, (off_t)end->size) < 0)
        return -1;
    if (file->regular && ftruncate(file->fd, (off_t)end->size) < 0)
        return -1;
    /* The times of a file that is not whole would make others take it for the original. */
    if (!preserve || end->damaged || !file->regular)
        return 0;
    if (fchmod(file->fd, file->mode) < 0)
        return -1;
    return futimens(file->fd, file->times);
}

void file_close(struct file *file, const copy_file_end *end, bool preserve, struct report *report)
{
    int fd = file->fd;

    if (fd < 0)
        return;
    if (file_settle(file, end, preserve) < 0) {
        file_fail(file, "finish", report);
        return;
    }
    file->fd = -1;
    /* Some file systems tell only now that there is no room. */
    if (close(fd) < 0)
        file_fail(file, "write", report);
}
