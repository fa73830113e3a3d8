/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages that are offered, and the store that knows which have come before. */
#include "config.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include "migrate/pageoffer.h"
#include "tests/unit/relay_pair.h"

#define PAGES 5000                      /* more than a lot */
#define STORE 16384
#define ME 1000
#define OTHER 1001

static uint8_t *sent, *taken;

static uint8_t *memory_make(void)
{
    uint8_t *memory = mmap(NULL, (size_t)PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    must(memory != MAP_FAILED, "get memory");
    return memory;
}

/* No two pages alike, and none like those of another `round`. */
static void pages_fill(uint8_t *pages, size_t count, unsigned round)
{
    for (size_t i = 0; i < count; i++) {
        memset(pages + i * PAGE_BYTES, (int)round, PAGE_BYTES);
        memcpy(pages + i * PAGE_BYTES + 100, &i, sizeof(i));
    }
}

static int take(void *arg, size_t number, const uint8_t *pages, size_t count)
{
    (void)arg;
    memcpy(taken + number * PAGE_BYTES, pages, count * PAGE_BYTES);
    return 0;
}

static int lack_wait(void *arg, struct bulk_msg *msg)
{
    int error = bulk_recv(arg, msg);

    return error ? error : msg->header.proc == P_BULK_LACK ? 0 : -EPROTO;
}

/* Bytes that went over, 0 when it failed or something else arrived. */
static uint64_t transfer(struct pagestore *store, uid_t uid, size_t count)
{
    static uint8_t names[PAGES][PAGE_HASH];
    static uint64_t *bytes;
    SSL *ssl[2];
    pid_t pid;
    int error, status;

    if (!bytes)
        bytes = (uint64_t *)(void *)memory_make();
    *bytes = 0;
    memset(taken, 0, (size_t)PAGES * PAGE_BYTES);
    tls_pair(ssl);
    pid = fork();
    if (pid == 0) {
        const struct pageoffer_answer answer = { lack_wait, ssl[0] };

        /* Either way, they are the same. */
        error = store ? pageoffer_name(sent, count, names) : 0;
        if (!error)
            error = pageoffer_send(ssl[0], sent, store ? names : NULL, count, &answer, bytes);
        _exit(error || bulk_flush(ssl[0]) ? 1 : 0);
    }
    error = pageoffer_take(ssl[1], store, uid, count, take, NULL);
    tls_free(ssl[0]);
    tls_free(ssl[1]);
    must(waitpid(pid, &status, 0) == pid, "wait");
    return !error && status == 0 && memcmp(sent, taken, count * PAGE_BYTES) == 0 ? *bytes : 0;
}

/* A store goes with the last process, and so do these. */
static struct pagestore *store_make(size_t pages)
{
    static struct pagestore *stores[4];
    static unsigned count;

    must(count < 4, "keep another store");
    return stores[count++] = pagestore_make(pages);
}

static void test_offers(void)
{
    struct pagestore *store = store_make(STORE);
    const uint64_t all = (uint64_t)PAGES * PAGE_BYTES, names = (uint64_t)PAGES * PAGE_HASH;

    pages_fill(sent, PAGES, 1);
    ok(transfer(store, ME, PAGES) == all + names, "what is new is sent");
    ok(transfer(store, ME, PAGES) == names, "what has come before is named only");
    memset(sent + 7 * PAGE_BYTES, 'x', PAGE_BYTES);
    memset(sent + (PAGES - 1) * PAGE_BYTES, 'y', PAGE_BYTES);
    ok(transfer(store, ME, PAGES) == names + 2 * PAGE_BYTES, "with what has changed");
    ok(transfer(store, OTHER, PAGES) == all + names, "another user's pages are not found");
    memset(sent, 0, 4096 * PAGE_BYTES);
    ok(transfer(NULL, ME, PAGES) == names + (1 + PAGES - 4096) * PAGE_BYTES,
       "of pages that are alike one is sent");
    pages_fill(sent, PAGES, 2);
    ok(transfer(NULL, ME, PAGES) == all + names, "without a store everything is sent");
    ok(transfer(store, ME, 1) > PAGE_HASH && transfer(store, ME, 1) == PAGE_HASH, "a single page");
}

static void test_eviction(void)
{
    struct pagestore *store = store_make(64);
    uint8_t page[PAGE_BYTES] = { 0 }, hash[PAGE_HASH];
    unsigned kept = 0;

    for (unsigned i = 0; i < 1000; i++) {
        memset(hash, 0, sizeof(hash));
        memcpy(hash, &i, sizeof(i));
        memcpy(page, &i, sizeof(i));
        pagestore_put(store, ME, hash, page);
    }
    for (unsigned i = 0; i < 1000; i++) {
        unsigned found;

        memset(hash, 0, sizeof(hash));
        memcpy(hash, &i, sizeof(i));
        if (!pagestore_get(store, ME, hash, page))
            continue;
        memcpy(&found, page, sizeof(found));
        kept += found == i && i >= 1000 - 64;
    }
    ok(kept == 64, "a full store keeps the newest: %u", kept);
}

/* KiB of shared memory that count as this process's. */
static unsigned shared_kib(void)
{
    FILE *status = fopen("/proc/self/status", "re");
    unsigned kib = 0;
    char line[128];

    must(status != NULL, "open the own status");
    while (fgets(line, sizeof(line), status))
        if (sscanf(line, "RssShmem: %u", &kib) == 1)
            break;
    fclose(status);
    return kib;
}

static void test_leave(void)
{
    struct pagestore *store = store_make(STORE);
    uint8_t page[PAGE_BYTES] = { 7 }, hash[PAGE_HASH] = { 0 };
    unsigned before = shared_kib(), found = 0;

    for (unsigned i = 0; i < 1000; i++) {
        memcpy(hash, &i, sizeof(i));
        pagestore_put(store, ME, hash, page);
    }
    ok(shared_kib() <= before + 1000, "what is put into the store is no memory of who does it");
    pagestore_leave(store);
    ok(shared_kib() <= before + 4, "nor are the names when he has left");
    for (unsigned i = 0; i < 1000; i++) {
        memcpy(hash, &i, sizeof(i));
        found += pagestore_get(store, ME, hash, page) && page[0] == 7;
    }
    ok(found == 1000, "the store keeps what he has put there");
    pagestore_leave(NULL);
}

/* The receiver's children are killed at any time. */
static void test_death(void)
{
    struct pagestore *store = store_make(64);
    uint8_t page[PAGE_BYTES] = { 1 }, hash[PAGE_HASH] = { 1 };
    int wrong = 0;

    for (int i = 0; i < 30; i++) {
        pid_t pid = fork();

        if (pid == 0)
            for (;;)
                pagestore_put(store, ME, hash, page);
        usleep(500);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        pagestore_put(store, ME, hash, page);
        page[0] = 0;
        wrong += !pagestore_get(store, ME, hash, page) || page[0] != 1;
        hash[0] = 1;
    }
    ok(wrong == 0, "a process that is killed in the store leaves it whole");
}

static void hostile_run(SSL *ssl, int what)
{
    uint8_t bytes[2 * PAGE_HASH] = { 0 };

    bulk_send_data(ssl, what == 1 ? P_BULK_DATA : P_BULK_OFFER, 0, bytes,
                   what == 0 ? sizeof(bytes) : PAGE_HASH);
    if (what == 2)
        bulk_send_data(ssl, P_BULK_DATA, 0, bytes, 5);
    _exit(0);
}

static void test_hostile(void)
{
    static const char *const names[] = { "more hashes than pages", "no offer", "half a page" };

    for (int what = 0; what < 3; what++) {
        SSL *ssl[2];
        pid_t pid;

        tls_pair(ssl);
        pid = fork();
        if (pid == 0)
            hostile_run(ssl[0], what);
        ok(pageoffer_take(ssl[1], NULL, ME, 1, take, NULL) == -EPROTO, "%s: refused", names[what]);
        waitpid(pid, NULL, 0);
        tls_free(ssl[0]);
        tls_free(ssl[1]);
    }
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    sent = memory_make();
    taken = memory_make();
    test_offers();
    test_eviction();
    test_leave();
    test_death();
    test_hostile();
    return done_testing();
}
