/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "migrate/pagestore.h"

/* A page may be in any of so many places, which its hash names: no list, nothing to clear up. */
#define WAYS 32

struct entry {
    uint64_t used;                      /* 0: empty; else the store's clock then */
    uid_t uid;
    uint8_t hash[PAGE_HASH];
};

struct pagestore {
    pthread_mutex_t lock;
    uint64_t clock;
    size_t sets;
    struct entry *entries;
    uint8_t *pages;
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

struct pagestore *pagestore_make(size_t pages)
{
    struct pagestore *store = memory_share(sizeof(*store));
    pthread_mutexattr_t attr;

    if (!store)
        return NULL;
    store->sets = pages / WAYS;
    store->entries = memory_share(store->sets * WAYS * sizeof(*store->entries));
    store->pages = memory_share(store->sets * WAYS * PAGE_BYTES);
    if (!store->entries || !store->pages)
        return NULL;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&store->lock, &attr);
    pthread_mutexattr_destroy(&attr);
    return store;
}

/* An entry is empty while it is written, so a holder's death leaves nothing half done. */
static void store_lock(struct pagestore *store)
{
    if (pthread_mutex_lock(&store->lock) == EOWNERDEAD)
        pthread_mutex_consistent(&store->lock);
}

static struct entry *set_of(const struct pagestore *store, const uint8_t *hash)
{
    uint64_t number;

    memcpy(&number, hash, sizeof(number));
    return &store->entries[number % store->sets * WAYS];
}

static uint8_t *page_of(const struct pagestore *store, const struct entry *entry)
{
    return store->pages + (size_t)(entry - store->entries) * PAGE_BYTES;
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
    if (entry) {
        entry->used = ++store->clock;
        memcpy(page, page_of(store, entry), PAGE_BYTES);
    }
    pthread_mutex_unlock(&store->lock);
    return entry != NULL;
}

void pagestore_put(struct pagestore *store, uid_t uid, const uint8_t hash[PAGE_HASH],
                   const void *page)
{
    struct entry *set = set_of(store, hash), *entry;

    store_lock(store);
    entry = entry_find(set, uid, hash);
    if (!entry) {
        entry = entry_oldest(set);
        entry->used = 0;
        /* The compiler must not move the end of the old page behind the new one. */
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        memcpy(page_of(store, entry), page, PAGE_BYTES);
        memcpy(entry->hash, hash, PAGE_HASH);
        entry->uid = uid;
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
    }
    entry->used = ++store->clock;
    pthread_mutex_unlock(&store->lock);
}
