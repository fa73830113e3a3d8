/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "migrate/relay_impl.h"

#define HOLD_MS_MIN 1
#define HOLD_MS_MAX 50
#define SCAN_MS 250             /* between two looks at all processes */

/* A link in /proc/PID/fd has the rights its descriptor was opened with. */
static bool link_is_held(int dir, const char *name, const struct relay_stream *stream)
{
    struct stat file, link;

    if (fstatat(dir, name, &file, 0) < 0 || file.st_dev != stream->source.dev ||
        file.st_ino != stream->source.ino)
        return false;
    return fstatat(dir, name, &link, AT_SYMLINK_NOFOLLOW) == 0 && link.st_mode & S_IRUSR;
}

static bool process_holds(DIR *dir, const struct relay_stream *stream)
{
    struct dirent *entry;
    bool held = false;

    while (!held && (errno = 0, entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            held = link_is_held(dirfd(dir), entry->d_name, stream);
    /* A listing that broke off proves nothing; a process that ends meanwhile is looked at again. */
    return held || errno != 0;
}

/* A parent that cannot be looked at for another reason than its end holds what it held. */
static DIR *parent_open(const struct relay *relay, bool *gone)
{
    int fd = openat(relay->parent_dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir;

    *gone = fd < 0 && (errno == ESRCH || errno == ENOENT);
    if (fd < 0)
        return NULL;
    dir = fdopendir(fd);
    if (!dir)
        close(fd);
    return dir;
}

static bool parent_holds(const struct relay_stream *stream)
{
    bool gone, held;
    DIR *dir = parent_open(stream->relay, &gone);

    if (!dir)
        return !gone;
    held = process_holds(dir, stream);
    closedir(dir);
    return held;
}

static bool other_holds(int proc, const char *name, const struct relay_stream *stream)
{
    char path[32];
    bool held;
    DIR *dir;
    int fd;

    if (strtol(name, NULL, 10) <= 0 || strtol(name, NULL, 10) == getpid())
        return false;
    snprintf(path, sizeof(path), "%.16s/fd", name);
    fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    held = process_holds(dir, stream);
    closedir(dir);
    return held;
}

static bool others_hold(const struct relay_stream *stream)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    bool held = !proc;

    while (!held && (entry = readdir(proc)))
        held = other_holds(dirfd(proc), entry->d_name, stream);
    if (proc)
        closedir(proc);
    return held;
}

static int64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/*
 * The parent is looked at each time. When it has let go there may be others, siblings of the
 * process and what carries for these; looking at all processes takes long, so that is done seldom.
 */
bool hold_check(struct relay_stream *stream)
{
    int64_t now;

    if (!stream->shared || parent_holds(stream))
        return stream->shared;
    now = clock_ms();
    if (stream->scanned_ms && now - stream->scanned_ms < SCAN_MS)
        return true;
    stream->scanned_ms = now;
    stream->shared = others_hold(stream);
    return stream->shared;
}

void hold_wait(struct relay *relay)
{
    struct timeval delay;

    if (event_pending(relay->hold_timer, EV_TIMEOUT, NULL))
        return;
    if (relay->hold_ms == 0)
        relay->hold_ms = HOLD_MS_MIN;
    delay = (struct timeval){ .tv_usec = relay->hold_ms * 1000 };
    event_add(relay->hold_timer, &delay);
    relay->hold_ms = relay->hold_ms * 2 < HOLD_MS_MAX ? relay->hold_ms * 2 : HOLD_MS_MAX;
}

static bool stream_waits(const struct relay_stream *stream)
{
    return stream->waiting || stream->late_shut_read || stream->late_shut_write;
}

/* Looks once more; true: the stream has to be looked at again. */
static bool hold_again(struct relay_stream *stream)
{
    bool held;

    if (!stream_waits(stream))
        return false;
    held = hold_check(stream);
    if (!held) {
        stream_shut_late(stream);
        stream->relay->hold_ms = HOLD_MS_MIN;
    }
    /* The parent may have read it itself: then there is nothing to wait for but more data. */
    if (stream->waiting && (!held || !relay_fd_poll(&stream->source, POLLIN))) {
        stream->waiting = false;
        source_wait(stream);
    }
    return stream_waits(stream);
}

void hold_on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct relay *relay = arg;
    bool again = false;

    (void)fd, (void)what;
    for (unsigned i = 0; i < BPROC_MAX_STREAMS; i++)
        if (relay->streams[i] && hold_again(relay->streams[i]))
            again = true;
    if (again)
        hold_wait(relay);
    link_pump(relay);
}
