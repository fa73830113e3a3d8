/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "migrate/pagestore.h"

/* A page may be in any of so many places, which its hash names: no list, nothing to clear up. */
#define WAYS 32

struct entry {
    uint64_t used;                      /* 0: empty; else the store's clock then */
    uid_t uid;
    uint8_t hash[PAGE_HASH];
};

struct head {
    pthread_mutex_t lock;
    uint64_t clock;
};

/*
 * Each process has its own, of memory that all share. The pages are in a file that nobody maps:
 * scattered as they are, each would take a fault, which costs more than to read or write it.
 */
struct pagestore {
    struct head *head;
    size_t sets;
    struct entry *entries;
    int pages;
    bool touched;                       /* by this process, since pagestore_leave() */
};

static void *memory_share(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED)
        return NULL;
    /* Users' memory has no place in a core file. */
    madvise(memory, bytes, MADV_DONTDUMP);
    return memory;
}

static size_t entries_bytes(const struct pagestore *store)
{
    return store->sets * WAYS * sizeof(*store->entries);
}

static size_t pages_bytes(const struct pagestore *store)
{
    return store->sets * WAYS * PAGE_BYTES;
}

struct pagestore *pagestore_make(size_t pages)
{
    struct pagestore *store = calloc(1, sizeof(*store));
    pthread_mutexattr_t attr;

    if (!store)
        return NULL;
    store->sets = pages / WAYS;
    store->head = memory_share(sizeof(*store->head));
    store->entries = memory_share(entries_bytes(store));
    store->pages = memfd_create("bproc-pages", MFD_CLOEXEC);
    if (!store->head || !store->entries || store->pages < 0 ||
        ftruncate(store->pages, (off_t)pages_bytes(store)) < 0)
        return NULL;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&store->head->lock, &attr);
    pthread_mutexattr_destroy(&attr);
    return store;
}

/* An entry is empty while it is written, so a holder's death leaves nothing half done. */
static void store_lock(struct pagestore *store)
{
    if (pthread_mutex_lock(&store->head->lock) == EOWNERDEAD)
        pthread_mutex_consistent(&store->head->lock);
    store->touched = true;
}

static struct entry *set_of(const struct pagestore *store, const uint8_t *hash)
{
    uint64_t number;

    memcpy(&number, hash, sizeof(number));
    return &store->entries[number % store->sets * WAYS];
}

static off_t page_of(const struct pagestore *store, const struct entry *entry)
{
    return (off_t)((size_t)(entry - store->entries) * PAGE_BYTES);
}

static struct entry *entry_find(struct entry *set, uid_t uid, const uint8_t *hash)
{
    for (struct entry *entry = set; entry < set + WAYS; entry++)
        if (entry->used && entry->uid == uid && memcmp(entry->hash, hash, PAGE_HASH) == 0)
            return entry;
    return NULL;
}

static struct entry *entry_oldest(struct entry *set)
{
    struct entry *oldest = set;

    for (struct entry *entry = set; entry < set + WAYS; entry++)
        if (entry->used < oldest->used)
            oldest = entry;
    return oldest;
}

bool pagestore_get(struct pagestore *store, uid_t uid, const uint8_t hash[PAGE_HASH], void *page)
{
    struct entry *entry;

    store_lock(store);
    entry = entry_find(set_of(store, hash), uid, hash);
    if (entry && pread(store->pages, page, PAGE_BYTES, page_of(store, entry)) != PAGE_BYTES)
        entry = NULL;
    if (entry)
        entry->used = ++store->head->clock;
    pthread_mutex_unlock(&store->head->lock);
    return entry != NULL;
}

/* 0: there is no memory for it, and the entry stays empty. */
static int entry_fill(struct pagestore *store, struct entry *entry, uid_t uid, const uint8_t *hash,
                      const void *page)
{
    entry->used = 0;
    /* The compiler must not move the end of the old page behind the new one. */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (pwrite(store->pages, page, PAGE_BYTES, page_of(store, entry)) != PAGE_BYTES)
        return 0;
    memcpy(entry->hash, hash, PAGE_HASH);
    entry->uid = uid;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return 1;
}

void pagestore_put(struct pagestore *store, uid_t uid, const uint8_t hash[PAGE_HASH],
                   const void *page)
{
    struct entry *set = set_of(store, hash), *entry;

    store_lock(store);
    entry = entry_find(set, uid, hash);
    if (!entry) {
        entry = entry_oldest(set);
        if (!entry_fill(store, entry, uid, hash, page))
            entry = NULL;
    }
    if (entry)
        entry->used = ++store->head->clock;
    pthread_mutex_unlock(&store->head->lock);
}

void pagestore_leave(struct pagestore *store)
{
    if (!store || !store->touched)
        return;
    madvise(store->entries, entries_bytes(store), MADV_DONTNEED);
    store->touched = false;
}
