/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Batches of memory that one process leaves and another one passes on. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "migrate/memoryring.h"
#include "migrate/pagestore.h"
#include "tests/unit/tap.h"

#define KEPT 8
#define BATCH_BYTES (16 * PAGE_BYTES)     /* as far as it is looked at */

static struct memoryring *writer, *reader;

static void must(int good, const char *what)
{
    if (good)
        return;
    printf("Bail out! cannot %s: %s\n", what, strerror(errno));
    exit(99);
}

static void rings_make(void)
{
    writer = memoryring_make();
    must(writer != NULL, "make a ring");
    reader = memoryring_open(dup(memoryring_fd(writer)));
    must(reader != NULL, "open it");
}

static void rings_free(void)
{
    memoryring_free(writer);
    memoryring_free(reader);
}

static void batch_put(unsigned number)
{
    memset(memoryring_room(writer), (int)number + 1, BATCH_BYTES);
    memoryring_put(writer, number);
}

static int is_batch(const uint8_t *pages, unsigned number)
{
    return pages && pages[0] == (uint8_t)(number + 1) &&
           memcmp(pages, pages + 1, BATCH_BYTES - 1) == 0;
}

static void test_keeping_up(void)
{
    const uint8_t *room;
    int good = 1, same = 1;

    rings_make();
    ok(!memoryring_get(reader, 0), "nothing is there");
    memoryring_done(reader);
    room = memoryring_room(writer);
    for (unsigned i = 0; i < 3 * KEPT; i++) {
        same = same && memoryring_room(writer) == room;
        batch_put(i);
        good = good && is_batch(memoryring_get(reader, i), i);
        memoryring_done(reader);
    }
    ok(good, "one who keeps up gets each batch");
    ok(same, "and the same room is written again");
    ok(!memoryring_get(reader, 3 * KEPT - 1), "what he has done with is gone");
    rings_free();
}

static void test_behind(void)
{
    unsigned found = 0;

    rings_make();
    for (unsigned i = 0; i < 3 * KEPT; i++)
        batch_put(i);
    for (unsigned i = 0; i < 3 * KEPT; i++) {
        const uint8_t *pages = memoryring_get(reader, i);

        if (!pages)
            continue;
        found += is_batch(pages, i) && (i < KEPT - 1 || i == 3 * KEPT - 1);
        memoryring_done(reader);
    }
    is_int((int)found, KEPT, "one who is behind finds the next ones and the last, and no others");
    batch_put(3 * KEPT);
    ok(is_batch(memoryring_get(reader, 3 * KEPT), 3 * KEPT), "and goes on");
    rings_free();
}

/* What is being read stays as it is, whatever comes. */
static void test_reading(void)
{
    const uint8_t *pages;
    int good = 1;

    rings_make();
    for (unsigned i = 0; i < KEPT; i++)
        batch_put(i);
    /* In the place that would be written next. */
    pages = memoryring_get(reader, KEPT - 1);
    for (unsigned i = KEPT; i < 3 * KEPT; i++) {
        batch_put(i);
        good = good && is_batch(pages, KEPT - 1);
    }
    ok(good, "what is being read is not written to");
    memoryring_free(reader);
    reader = memoryring_open(dup(memoryring_fd(writer)));
    ok(reader && is_batch(memoryring_get(reader, 3 * KEPT - 1), 3 * KEPT - 1),
       "one who gives up in the middle stops nobody");
    rings_free();
}

/* Both at once: what is got is whole. */
static void test_race(void)
{
    unsigned last = 400, found = 0;
    int status, good = 1;
    pid_t pid;

    rings_make();
    pid = fork();
    if (pid == 0) {
        for (unsigned i = 0; i <= last; i++)
            batch_put(i);
        _exit(0);
    }
    while (!found)
        for (unsigned i = 0; i <= last; i++) {
            const uint8_t *pages = memoryring_get(reader, i);

            if (!pages)
                continue;
            good = good && is_batch(pages, i);
            found += i == last;
            memoryring_done(reader);
        }
    ok(good, "of two at work at once none sees half a batch");
    must(waitpid(pid, &status, 0) == pid && status == 0, "wait");
    rings_free();
}

int main(void)
{
    int ends[2];

    test_keeping_up();
    test_behind();
    test_reading();
    test_race();
    must(pipe(ends) == 0, "make a pipe");
    ok(!memoryring_open(ends[0]), "what is no ring is refused");
    return done_testing();
}
