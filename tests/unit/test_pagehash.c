/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hash of many pages is that of their hashes, however many there are. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>

#include "migrate/pagehash.h"
#include "proto/bproc.h"
#include "tests/unit/tap.h"

static uint8_t pages[BPROC_MAX_BATCH * PAGE_BYTES];

static void pages_make(void)
{
    for (size_t i = 0; i < sizeof(pages); i++)
        pages[i] = (uint8_t)(i * 31 + i / PAGE_BYTES);
}

/* One after the other. */
static void slowly(size_t count, uint8_t digest[PAGE_HASH])
{
    static uint8_t names[BPROC_MAX_BATCH][PAGE_HASH];

    for (size_t i = 0; i < count; i++)
        EVP_Digest(pages + i * PAGE_BYTES, PAGE_BYTES, names[i], NULL, EVP_sha256(), NULL);
    EVP_Digest(names, count * PAGE_HASH, digest, NULL, EVP_sha256(), NULL);
}

static void test_count(struct pagehash *hash, size_t count)
{
    uint8_t digest[PAGE_HASH] = { 0 }, want[PAGE_HASH];

    slowly(count, want);
    ok(pagehash_batch(hash, pages, count, digest) == 0 &&
       memcmp(digest, want, sizeof(digest)) == 0, "%zu pages", count);
}

static void test_change(struct pagehash *hash)
{
    uint8_t before[PAGE_HASH], after[PAGE_HASH];
    int good = pagehash_batch(hash, pages, 20, before) == 0;

    pages[20 * PAGE_BYTES - 1] ^= 1;
    ok(good && pagehash_batch(hash, pages, 20, after) == 0 &&
       memcmp(before, after, sizeof(before)) != 0, "one bit of the last page counts");
}

int main(void)
{
    static const size_t counts[] = { 1, 2, 15, 16, 17, 33, 256, BPROC_MAX_BATCH };
    struct pagehash *hash = pagehash_new();

    ok(hash != NULL, "there is one");
    pages_make();
    for (size_t i = 0; hash && i < sizeof(counts) / sizeof(counts[0]); i++)
        test_count(hash, counts[i]);
    if (hash)
        test_change(hash);
    pagehash_free(hash);
    pagehash_free(NULL);
    return done_testing();
}
