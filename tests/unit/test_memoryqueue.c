/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Batches that one thread fills and another one takes. */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "migrate/memoryqueue.h"
#include "tests/unit/tap.h"

#define COUNT 6
#define AHEAD 2
#define PAGES 4UL
#define MANY 2000

static struct memoryqueue *queue;
static unsigned filled;                 /* by the other thread; looked at when that has ended */

static void batch_fill(struct memorybatch *batch, unsigned number)
{
    page_run run = { .start = number * PAGE_BYTES, .pages = PAGES };

    memorybatch_clear(batch);
    memorybatch_note(batch, &run);
    memset(batch->data, (int)number, PAGES * PAGE_BYTES);
}

static int is_batch(const struct memorybatch *batch, unsigned number)
{
    return batch->count == 1 && batch->runs[0].start == number * PAGE_BYTES &&
           batch->data[0] == (uint8_t)number &&
           memcmp(batch->data, batch->data + 1, PAGES * PAGE_BYTES - 1) == 0;
}

static void *many_fill(void *arg)
{
    const int *last = arg;
    struct memorybatch *batch;

    for (filled = 0; filled < MANY && (batch = memoryqueue_room(queue)); filled++) {
        batch_fill(batch, filled);
        memoryqueue_put(queue, batch, 1);
    }
    if (filled == MANY && (batch = memoryqueue_room(queue)))
        memoryqueue_put(queue, batch, *last);
    return NULL;
}

static void test_order(int last)
{
    struct memorybatch *batch;
    unsigned taken = 0;
    pthread_t thread;
    int good = 1, found;

    queue = memoryqueue_new(COUNT, PAGES, AHEAD, 0);
    pthread_create(&thread, NULL, many_fill, &last);
    for (; (found = memoryqueue_next(queue, &batch)) > 0; taken++)
        good = good && is_batch(batch, taken);
    pthread_join(thread, NULL);
    ok(good && taken == MANY, "all batches come, in the order in which they were put");
    ok(found == last, "and then what was said last");
    memoryqueue_free(queue);
}

/* Before anybody takes them, as many as there are; then a few. */
static void test_ahead(void)
{
    struct memorybatch *batch, *put;
    unsigned number = 0, taken = 0;
    int good = 1;

    queue = memoryqueue_new(COUNT, PAGES, AHEAD, 1);
    for (; number < COUNT; number++) {
        put = memoryqueue_room(queue);
        batch_fill(put, number);
        memoryqueue_put(queue, put, 1);
    }
    for (; taken <= COUNT - AHEAD; taken++)
        good = good && memoryqueue_next(queue, &batch) > 0 && is_batch(batch, taken);
    ok(good, "all room can be used before anybody takes anything");
    put = memoryqueue_room(queue);
    ok(put && put != batch, "what has been taken is not written over");
    memoryqueue_stop(queue);
    ok(!memoryqueue_room(queue), "who is told to stop gets no room");
    ok(memoryqueue_next(queue, &batch) == -ECANCELED, "and nothing more to take");
    memoryqueue_free(queue);
}

static void test_stop(void)
{
    struct memorybatch *batch;
    pthread_t thread;
    int last = 0;

    queue = memoryqueue_new(COUNT, PAGES, AHEAD, 0);
    pthread_create(&thread, NULL, many_fill, &last);
    memoryqueue_next(queue, &batch);
    memoryqueue_stop(queue);
    pthread_join(thread, NULL);
    ok(filled < MANY, "who waits for room hears that nobody wants more");
    memoryqueue_free(queue);
}

int main(void)
{
    test_order(0);
    test_order(-ESRCH);
    test_ahead();
    test_stop();
    return done_testing();
}
