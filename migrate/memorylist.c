/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "migrate/memorylist.h"

#define HEAD_BYTES 4096                 /* what stands before the batches */

/* Shared by all who have the file open. */
struct head {
    _Atomic uint32_t count;             /* batches listed, the end among them */
    _Atomic uint32_t broken;
};

/* Of one batch in the file; its runs follow. A batch without any is the end. */
struct entry {
    uint32_t count;
    uint8_t digest[BPROC_HASH_LEN];
};

struct memorylist {
    int fd;
    int ended;
    struct head *head;
    unsigned next;
    off_t at;                           /* where the next one stands */
};

static struct memorylist *list_new(int fd, int access)
{
    struct memorylist *list = calloc(1, sizeof(*list));

    if (list)
        list->head = mmap(NULL, HEAD_BYTES, access, MAP_SHARED, fd, 0);
    if (!list || list->head == MAP_FAILED) {
        close(fd);
        free(list);
        return NULL;
    }
    list->fd = fd;
    list->at = HEAD_BYTES;
    return list;
}

struct memorylist *memorylist_make(int fd)
{
    if (ftruncate(fd, HEAD_BYTES) == 0)
        return list_new(fd, PROT_READ | PROT_WRITE);
    close(fd);
    return NULL;
}

struct memorylist *memorylist_open(int fd)
{
    return list_new(fd, PROT_READ);
}

void memorylist_free(struct memorylist *list)
{
    if (!list)
        return;
    munmap(list->head, HEAD_BYTES);
    close(list->fd);
    free(list);
}

int memorylist_fd(const struct memorylist *list)
{
    return list->fd;
}

/* ---- who makes it ---- */

static void followers_wake(struct memorylist *list)
{
    syscall(SYS_futex, &list->head->count, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static int part_write(struct memorylist *list, const void *bytes, size_t len)
{
    ssize_t n = pwrite(list->fd, bytes, len, list->at);

    if (n != (ssize_t)len)
        return n < 0 ? -errno : -ENOSPC;
    list->at += n;
    return 0;
}

static int entry_add(struct memorylist *list, const struct entry *entry, const page_run *runs)
{
    int error = part_write(list, entry, sizeof(*entry));

    if (!error && entry->count > 0)
        error = part_write(list, runs, entry->count * sizeof(*runs));
    if (error)
        return error;
    list->next++;
    atomic_store(&list->head->count, list->next);
    followers_wake(list);
    return 0;
}

int memorylist_add(struct memorylist *list, const struct memoryitem *item)
{
    struct entry entry = { .count = item->count };

    if (item->number < list->next)
        return 0;
    memcpy(entry.digest, item->digest, sizeof(entry.digest));
    return entry_add(list, &entry, item->runs);
}

int memorylist_end(struct memorylist *list)
{
    const struct entry end = { .count = 0 };
    int error = list->ended ? 0 : entry_add(list, &end, NULL);

    list->ended = 1;
    return error;
}

void memorylist_break(struct memorylist *list)
{
    list->ended = 1;
    atomic_store(&list->head->broken, 1);
    followers_wake(list);
}

/* ---- who follows it ---- */

static int growth_look(const struct memorylist *list, uint32_t count)
{
    if (count > list->next)
        return 0;
    return atomic_load(&list->head->broken) ? -EPIPE : -EAGAIN;
}

static int growth_wait(struct memorylist *list, int ms)
{
    struct timespec limit = { ms / 1000, ms % 1000 * 1000000L };
    uint32_t count = atomic_load(&list->head->count);
    int error = growth_look(list, count);

    if (error != -EAGAIN || ms == 0)
        return error;
    syscall(SYS_futex, &list->head->count, FUTEX_WAIT, count, &limit, NULL, 0);
    return growth_look(list, atomic_load(&list->head->count));
}

static int part_read(struct memorylist *list, void *bytes, size_t len)
{
    ssize_t n = pread(list->fd, bytes, len, list->at);

    if (n != (ssize_t)len)
        return n < 0 ? -errno : -EPROTO;
    list->at += n;
    return 0;
}

int memorylist_next(struct memorylist *list, struct memoryitem *item, int ms)
{
    struct entry entry;
    int error = growth_wait(list, ms);

    if (!error)
        error = part_read(list, &entry, sizeof(entry));
    if (!error && entry.count > BPROC_MAX_BATCH)
        error = -EPROTO;
    if (!error && entry.count > 0)
        error = part_read(list, item->runs, entry.count * sizeof(*item->runs));
    if (error)
        return error;
    item->number = list->next++;
    item->count = entry.count;
    memcpy(item->digest, entry.digest, sizeof(item->digest));
    return entry.count > 0;
}

/* For whom the way from node to node has broken: once in a transfer. */
int memorylist_back(struct memorylist *list, unsigned number)
{
    struct entry entry;

    if (number > list->next)
        return -EPROTO;
    list->next = 0;
    list->at = HEAD_BYTES;
    while (list->next < number) {
        if (part_read(list, &entry, sizeof(entry)) < 0 || entry.count == 0)
            return -EPROTO;
        list->at += (off_t)(entry.count * sizeof(page_run));
        list->next++;
    }
    return 0;
}

size_t memoryitem_pages(const struct memoryitem *item)
{
    size_t pages = 0;

    for (unsigned i = 0; i < item->count; i++)
        pages += item->runs[i].pages;
    return pages;
}
