/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "migrate/imagefile.h"
#include "migrate/imagenameless.h"

/* The numbers of the fields are CRIU's: ghost-file.proto, time.proto. */
#define GHOST_UID 1
#define GHOST_GID 2
#define GHOST_ACCESSED 7
#define GHOST_MODIFIED 8
#define GHOST_IN_CHUNKS 9
#define GHOST_SIZE 10
#define CHUNK_LEN 1
#define CHUNK_OFFSET 2
#define TIME_SECONDS 1
#define TIME_MICROSECONDS 2

#define REOPENING (O_ACCMODE | O_APPEND | O_DIRECT | O_DSYNC | O_SYNC | O_NONBLOCK | O_CLOEXEC)
#define MADE_NAME ".bproc-%016" PRIx64

/* ---- its bytes ---- */

static int bytes_write(int fd, struct bytes bytes, uint64_t offset)
{
    while (bytes.len > 0) {
        ssize_t n = pwrite(fd, bytes.at, bytes.len, (off_t)offset);

        if (n < 0)
            return -errno;
        bytes.at += n;
        bytes.len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

static int chunk_write(int fd, struct bytes *in)
{
    struct bytes record, content;
    struct message m;
    uint64_t len;
    int more = record_take(in, &record);

    if (more <= 0)
        return more;
    if (message_read(record, 0, &m) < 0 || !(m.seen & 1u << CHUNK_LEN) ||
        !(m.seen & 1u << CHUNK_OFFSET))
        return -EPROTO;
    len = m.fields[CHUNK_LEN].value;
    if (len > in->len)
        return -EPROTO;
    content = (struct bytes){ in->at, (size_t)len };
    in->at += len;
    in->len -= (size_t)len;
    more = bytes_write(fd, content, m.fields[CHUNK_OFFSET].value);
    return more ? more : 1;
}

static int chunks_write(int fd, const struct message *ghost, struct bytes in)
{
    int more;

    if (ftruncate(fd, ghost->seen & 1u << GHOST_SIZE
                          ? (off_t)ghost->fields[GHOST_SIZE].value : 0) < 0)
        return -errno;
    while ((more = chunk_write(fd, &in)) > 0)
        continue;
    return more;
}

static struct timespec time_read(const struct message *ghost, unsigned number)
{
    struct timespec time = { .tv_nsec = UTIME_NOW };
    struct message m;

    if (!(ghost->seen & 1u << number) || message_read(ghost->fields[number].content, 0, &m) < 0 ||
        message_value(&m, TIME_MICROSECONDS) >= 1000000)
        return time;
    time.tv_sec = (time_t)m.fields[TIME_SECONDS].value;
    time.tv_nsec = message_value(&m, TIME_MICROSECONDS) * 1000L;
    return time;
}

static int content_fill(int fd, struct bytes in)
{
    struct bytes record;
    struct message ghost;
    struct timespec times[2];
    int error = magic_skip(&in);

    if (!error)
        error = record_take(&in, &record) > 0 ? message_read(record, 0, &ghost) : -EPROTO;
    if (error)
        return error;
    if (fchown(fd, message_value(&ghost, GHOST_UID), message_value(&ghost, GHOST_GID)) < 0)
        return -errno;
    error = message_value(&ghost, GHOST_IN_CHUNKS) ? chunks_write(fd, &ghost, in)
                                                   : bytes_write(fd, in, 0);
    times[0] = time_read(&ghost, GHOST_ACCESSED);
    times[1] = time_read(&ghost, GHOST_MODIFIED);
    if (!error && futimens(fd, times) < 0)
        error = -errno;
    return error;
}

static int image_map(int image, struct bytes *bytes)
{
    struct stat st;

    if (fstat(image, &st) < 0)
        return -errno;
    if (st.st_size < MAGIC_LEN)
        return -EPROTO;
    bytes->len = (size_t)st.st_size;
    bytes->at = mmap(NULL, bytes->len, PROT_READ, MAP_PRIVATE, image, 0);
    return bytes->at == MAP_FAILED ? -errno : 0;
}

static int file_fill(int fd, int image)
{
    struct bytes bytes;
    int error = image_map(image, &bytes);

    if (error)
        return error;
    error = content_fill(fd, bytes);
    munmap(bytes.at, bytes.len);
    return error;
}

/* ---- the file ---- */

/* Its folder is held while a name in it comes and goes. */
static int file_make(const char *path)
{
    char *folder = strdup(path), name[40];
    uint64_t number;
    int dir = -1, fd = -1;

    if (folder) {
        *(strrchr(folder, '/') + 1) = '\0';
        dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    if (dir >= 0 && getrandom(&number, sizeof(number), 0) == sizeof(number)) {
        snprintf(name, sizeof(name), MADE_NAME, number);
        fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    }
    if (fd < 0)
        fd = folder ? -errno : -ENOMEM;
    else
        unlinkat(dir, name, 0);
    if (dir >= 0)
        close(dir);
    free(folder);
    return fd;
}

/* The one that is the same and was made before; else itself. */
static struct image_file *first_find(struct nameless *nameless, struct image_file *file)
{
    struct image_file *other = nameless->files->list;

    while (other < file && (other->made < 0 || other->nameless != file->nameless))
        other++;
    return other;
}

int nameless_begin(struct nameless *nameless, int dir_fd, struct image_files *files)
{
    char name[32];

    nameless->files = files;
    nameless->images = calloc(files->count + 1, sizeof(*nameless->images));
    nameless->proc = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (!nameless->images)
        return -ENOMEM;
    if (nameless->proc < 0)
        return -errno;
    for (unsigned i = 0; i < files->count; i++) {
        if (!files->list[i].is_nameless)
            continue;
        snprintf(name, sizeof(name), "ghost-file-%x.img", files->list[i].nameless);
        nameless->images[i] = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
        if (nameless->images[i] < 0)
            return -errno;
    }
    return 0;
}

int nameless_open(struct nameless *nameless, struct image_file *file, int flags)
{
    struct image_file *first = first_find(nameless, file);
    char number[16];
    int fd, error;

    if (first->made < 0) {
        first->made = file_make(first->path);
        if (first->made < 0)
            return first->made;
        error = file_fill(first->made, nameless->images[first - nameless->files->list]);
        if (error)
            return error;
    }
    snprintf(number, sizeof(number), "%d", first->made);
    fd = openat(nameless->proc, number, flags & REOPENING);
    return fd < 0 ? -errno : fd;
}

/* It may be one that its owner may not open. */
int nameless_finish(struct nameless *nameless)
{
    for (unsigned i = 0; i < nameless->files->count; i++) {
        const struct image_file *file = &nameless->files->list[i];

        if (file->made >= 0 && fchmod(file->made, file->mode) < 0)
            return -errno;
    }
    return 0;
}
