/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "migrate/memoryspace.h"
#include "migrate/pagestore.h"
#include "migrate/userfault.h"

#define EVENTS (UFFD_FEATURE_EVENT_FORK | UFFD_FEATURE_EVENT_REMAP | \
                UFFD_FEATURE_EVENT_REMOVE | UFFD_FEATURE_EVENT_UNMAP)
#define LINE 512

/* Pages of the dumped process from `from` on, which lie at `to` now. */
struct extent {
    uint64_t from, to, size;
    struct extent *next;
};

/* One process. */
struct memory {
    int fd;
    struct extent *extents;
    struct memory *next;
};

struct memoryspace {
    struct memory *list;
    int running;
};

static int extent_add(struct memory *memory, uint64_t from, uint64_t to, uint64_t size)
{
    struct extent *extent = malloc(sizeof(*extent));

    if (!extent)
        return -ENOMEM;
    *extent = (struct extent){ from, to, size, memory->extents };
    memory->extents = extent;
    return 0;
}

static struct memory *memory_new(int fd)
{
    struct memory *memory = calloc(1, sizeof(*memory));

    if (memory)
        memory->fd = fd;
    return memory;
}

static void memory_free(struct memory *memory)
{
    struct extent *extent;

    while ((extent = memory->extents)) {
        memory->extents = extent->next;
        free(extent);
    }
    /* With its last descriptor the registration goes. */
    close(memory->fd);
    free(memory);
}

/* ---- what has happened to it ---- */

/* Takes [start, end) out, by where it is now; adds it again at `moved` if that is not 0. */
static int extents_cut(struct memory *memory, uint64_t start, uint64_t end, uint64_t moved)
{
    struct extent **at = &memory->extents, *old = memory->extents;
    int error = 0;

    memory->extents = NULL;
    at = &old;
    while (!error && *at) {
        struct extent *e = *at;
        uint64_t last = e->to + e->size, low = e->to > start ? e->to : start;
        uint64_t high = last < end ? last : end;

        *at = e->next;
        if (low >= high) {
            low = high = last;
            error = extent_add(memory, e->from, e->to, e->size);
            free(e);
            continue;
        }
        if (low > e->to)
            error = extent_add(memory, e->from, e->to, low - e->to);
        if (!error && high < last)
            error = extent_add(memory, e->from + (high - e->to), high, last - high);
        if (!error && moved)
            error = extent_add(memory, e->from + (low - e->to), moved + (low - start), high - low);
        free(e);
    }
    return error;
}

static int fork_take(struct memoryspace *space, const struct memory *parent, int fd)
{
    struct memory *child = memory_new(fd);
    int error = child ? 0 : -ENOMEM;

    if (!child) {
        close(fd);
        return error;
    }
    for (const struct extent *e = parent->extents; !error && e; e = e->next)
        error = extent_add(child, e->from, e->to, e->size);
    child->next = space->list;
    space->list = child;
    return error;
}

static const struct extent *extent_find(const struct memory *memory, uint64_t to)
{
    const struct extent *e = memory->extents;

    while (e && (to < e->to || to >= e->to + e->size))
        e = e->next;
    return e;
}

static void page_zero(const struct memory *memory, uint64_t to)
{
    struct uffdio_zeropage zero = { .range = { to, PAGE_BYTES } };

    /* It has come meanwhile, or memory is just being moved: whoever waits shall look again. */
    if (ioctl(memory->fd, UFFDIO_ZEROPAGE, &zero) < 0 && (errno == EEXIST || errno == EAGAIN))
        ioctl(memory->fd, UFFDIO_WAKE, &zero.range);
}

/* Where nothing of the dumped process is, such as what was thrown away, there are zeros. */
static int fault_take(const struct memory *memory, uint64_t address,
                      const struct memoryspace_calls *calls, void *arg)
{
    uint64_t to = address & ~(uint64_t)(PAGE_BYTES - 1);
    const struct extent *e = extent_find(memory, to);

    if (e)
        return calls->want(arg, e->from + (to - e->to));
    page_zero(memory, to);
    return 0;
}

static int event_take(struct memoryspace *space, struct memory *memory, const struct uffd_msg *msg,
                      const struct memoryspace_calls *calls, void *arg)
{
    int error;

    switch (msg->event) {
    case UFFD_EVENT_PAGEFAULT:
        return fault_take(memory, msg->arg.pagefault.address, calls, arg);
    case UFFD_EVENT_FORK:
        error = calls->forked(arg, (int)msg->arg.fork.ufd);
        return error ? error : fork_take(space, memory, (int)msg->arg.fork.ufd);
    case UFFD_EVENT_REMAP:
        return extents_cut(memory, msg->arg.remap.from, msg->arg.remap.from + msg->arg.remap.len,
                           msg->arg.remap.to);
    case UFFD_EVENT_REMOVE:
    case UFFD_EVENT_UNMAP:
        return extents_cut(memory, msg->arg.remove.start, msg->arg.remove.end, 0);
    default:
        return 0;
    }
}

int memoryspace_events(struct memoryspace *space, const struct memoryspace_calls *calls, void *arg)
{
    int error = 0;

    for (struct memory *memory = space->list; memory; memory = memory->next) {
        struct uffd_msg msg;

        while (!error && userfault_hear(memory->fd, &msg))
            error = event_take(space, memory, &msg, calls, arg);
    }
    return error;
}

/* ---- filling ---- */

/* `bytes` NULL: zeros. *put: how much of it is there, if any. */
static int piece_put(const struct memory *memory, uint64_t to, const uint8_t *bytes, size_t size,
                     size_t *put)
{
    struct uffdio_copy copy = { .dst = to, .src = (uintptr_t)bytes, .len = size };
    struct uffdio_zeropage zero = { .range = { to, size } };
    int error = ioctl(memory->fd, bytes ? UFFDIO_COPY : UFFDIO_ZEROPAGE,
                      bytes ? (void *)&copy : (void *)&zero) < 0 ? -errno : 0;
    int64_t done = bytes ? copy.copy : zero.zeropage;

    *put = done > 0 ? (size_t)done : 0;
    return done > 0 ? 0 : error;
}

/*
 * Part of a run that lies together. Whoever put a page there before has woken who waited for it. A
 * piece that lies in several mappings is refused whole, and mappings are split without any word of
 * it, by mprotect(), madvise(), mlock() and others. -EAGAIN: something has happened that has to be
 * heard first; -ESRCH: the process is no more.
 */
static int part_put(const struct memory *memory, uint64_t to, const uint8_t *bytes, size_t size,
                    int running)
{
    size_t piece = size, put;

    for (size_t done = 0; done < size;) {
        int error = piece_put(memory, to + done, bytes ? bytes + done : NULL, piece, &put);

        if (running && error == -ENOENT && piece > PAGE_BYTES) {
            piece = (piece / PAGE_BYTES + 1) / 2 * PAGE_BYTES;
            continue;
        }
        if (running && (error == -EEXIST || error == -ENOENT))
            put = PAGE_BYTES;
        else if (error)
            return error;
        done += put;
        piece = size - done;
    }
    return 0;
}

static int extent_put(const struct memory *memory, const struct extent *e, uint64_t start,
                      const uint8_t *bytes, size_t size, int running)
{
    uint64_t low = start > e->from ? start : e->from;
    uint64_t high = start + size < e->from + e->size ? start + size : e->from + e->size;

    if (low >= high)
        return 0;
    return part_put(memory, e->to + (low - e->from), bytes ? bytes + (low - start) : NULL,
                    high - low, running);
}

static int memory_put(const struct memory *memory, uint64_t start, const uint8_t *bytes,
                      size_t size, int running)
{
    int error = 0;

    for (const struct extent *e = memory->extents; !error && e; e = e->next)
        error = extent_put(memory, e, start, bytes, size, running);
    return error;
}

int memoryspace_put(struct memoryspace *space, uint64_t start, const uint8_t *bytes, size_t size)
{
    struct memory **at = &space->list;

    while (*at) {
        struct memory *memory = *at;
        int error = memory_put(memory, start, bytes, size, space->running);

        if (error == -ESRCH) {
            *at = memory->next;
            memory_free(memory);
            continue;
        }
        if (error)
            return error;
        at = &memory->next;
    }
    return 0;
}

unsigned memoryspace_poll(const struct memoryspace *space, struct pollfd *list, unsigned max)
{
    unsigned count = 0;

    for (const struct memory *memory = space->list; memory; memory = memory->next, count++)
        if (count < max)
            list[count] = (struct pollfd){ .fd = memory->fd, .events = POLLIN };
    return count;
}

static int range_register(const struct memory *memory, uint64_t start, uint64_t size)
{
    struct uffdio_register reg = { .range = { start, size },
                                   .mode = UFFDIO_REGISTER_MODE_MISSING };

    return ioctl(memory->fd, UFFDIO_REGISTER, &reg) < 0 ? -errno : 0;
}

static int has_region(const page_region *regions, unsigned count, uint64_t start, uint64_t end)
{
    for (unsigned i = 0; i < count; i++)
        if (regions[i].start < end && regions[i].start + regions[i].size > start)
            return 1;
    return 0;
}

/*
 * To the kernel a mapping of which a part is registered is two, and the process could not mremap()
 * it in one. Where that fails, or comes to nothing, the regions are still to be registered.
 */
static void mappings_register(const struct memory *memory, pid_t task, const page_region *regions,
                              unsigned count)
{
    unsigned long start, end;
    char path[40], line[LINE];
    FILE *maps;

    snprintf(path, sizeof(path), "/proc/%d/maps", (int)task);
    maps = fopen(path, "re");
    while (maps && fgets(line, sizeof(line), maps))
        /* The rest of a long line is none of these. */
        if (sscanf(line, "%lx-%lx ", &start, &end) == 2 && has_region(regions, count, start, end))
            range_register(memory, start, end - start);
    if (maps)
        fclose(maps);
}

static int memory_register(struct memory *memory, const page_region *regions, unsigned count)
{
    int error = 0;

    for (unsigned i = 0; !error && i < count; i++) {
        error = range_register(memory, regions[i].start, regions[i].size);
        if (!error)
            error = extent_add(memory, regions[i].start, regions[i].start, regions[i].size);
    }
    return error;
}

struct memoryspace *memoryspace_new(int fd, const page_region *regions, unsigned count,
                                    pid_t running)
{
    struct memoryspace *space = calloc(1, sizeof(*space));
    int error;

    if (space)
        space->list = memory_new(fd);
    if (!space || !space->list) {
        close(fd);
        free(space);
        return NULL;
    }
    space->running = userfault_begin(fd, running ? EVENTS : 0);
    if (space->running > 0)
        mappings_register(space->list, running, regions, count);
    error = space->running < 0 ? space->running
                               : memory_register(space->list, regions, count);
    if (!error)
        return space;
    memoryspace_free(space);
    errno = -error;
    return NULL;
}

int memoryspace_is_running(const struct memoryspace *space)
{
    return space->running;
}

void memoryspace_free(struct memoryspace *space)
{
    struct memory *memory;

    if (!space)
        return;
    while ((memory = space->list)) {
        space->list = memory->next;
        memory_free(memory);
    }
    free(space);
}
