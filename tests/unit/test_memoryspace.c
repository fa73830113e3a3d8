/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages for a process that changes its memory meanwhile. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "migrate/memoryspace.h"
#include "migrate/pagestore.h"
#include "tests/unit/tap.h"

#define PAGES 64
#define REGION 16                       /* pages that are to come, from the first on */
#define LOOKS 2000                      /* at what another thread does, one each 5 ms */

struct work {
    char *memory;
    pthread_t thread;
    _Atomic pid_t tid;
    atomic_int done;
};

static void *page_touch(void *arg)
{
    struct work *work = arg;

    work->tid = (pid_t)syscall(SYS_gettid);
    ((volatile char *)work->memory)[32 * PAGE_BYTES] = 1;
    work->done = 1;
    return NULL;
}

static void *page_forget(void *arg)
{
    struct work *work = arg;

    work->tid = (pid_t)syscall(SYS_gettid);
    madvise(work->memory + 48 * PAGE_BYTES, PAGE_BYTES, MADV_DONTNEED);
    work->done = 1;
    return NULL;
}

static void moment(void)
{
    const struct timespec time = { .tv_nsec = 5000000 };

    nanosleep(&time, NULL);
}

/* It has nothing to sleep for but the userfaultfd. */
static int has_gone_to_sleep(const struct work *work)
{
    char path[64], state = 0;
    FILE *stat;

    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)work->tid);
    stat = work->tid ? fopen(path, "re") : NULL;
    if (stat) {
        (void)!fscanf(stat, "%*d (%*[^)]) %c", &state);
        fclose(stat);
    }
    return state == 'S' || state == 'D';
}

static void work_start(struct work *work, void *(*run)(void *))
{
    if (pthread_create(&work->thread, NULL, run, work)) {
        printf("Bail out! no thread\n");
        exit(99);
    }
    for (int i = 0; i < LOOKS && !has_gone_to_sleep(work); i++)
        moment();
}

static int page_want(void *arg, uint64_t start)
{
    (void)start;
    ++*(int *)arg;
    return 0;
}

static int fork_refuse(void *arg, int fd)
{
    (void)arg;
    close(fd);
    return -EPERM;
}

/* Between fences, so that it is a mapping of its own. */
static char *memory_make(void)
{
    char *memory = mmap(NULL, (PAGES + 2) * PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
                        -1, 0);

    if (memory == MAP_FAILED ||
        mprotect(memory + PAGE_BYTES, PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE) < 0) {
        printf("Bail out! no memory\n");
        exit(99);
    }
    return memory + PAGE_BYTES;
}

/* The kernel refuses all pages until it has been heard what becomes of the memory. */
static void touch_beside_change(int fd)
{
    char *memory = memory_make();
    const page_region region = { .start = (uintptr_t)memory, .size = REGION * PAGE_BYTES };
    const struct memoryspace_calls calls = { .want = page_want, .forked = fork_refuse };
    struct work touch = { .memory = memory }, forget = { .memory = memory };
    struct memoryspace *space = memoryspace_new(fd, &region, 1, getpid());
    int wanted = 0;

    ok(space && memoryspace_is_running(space), "a process is followed while it runs");
    work_start(&touch, page_touch);
    work_start(&forget, page_forget);
    for (int i = 0; i < LOOKS && !(touch.done && forget.done); i++) {
        memoryspace_events(space, &calls, &wanted);
        moment();
    }
    ok(forget.done, "memory is thrown away while somebody waits for a page");
    ok(touch.done, "who has waited for a page beside it gets it");
    is_int(wanted, 0, "and none of what is to come is asked for");
    if (!touch.done || !forget.done)
        exit(done_testing());
    pthread_join(touch.thread, NULL);
    pthread_join(forget.thread, NULL);
    memoryspace_free(space);
}

/* Nobody tells that a mapping has become several. */
static void run_across_mappings(int fd)
{
    static _Alignas(PAGE_BYTES) uint8_t bytes[REGION * PAGE_BYTES];
    char *memory = memory_make();
    const page_region region = { .start = (uintptr_t)memory, .size = REGION * PAGE_BYTES };
    struct memoryspace *space = memoryspace_new(fd, &region, 1, getpid());

    memset(bytes, 7, sizeof(bytes));
    for (int page = 5; page < REGION; page += 5)
        mprotect(memory + page * PAGE_BYTES, PAGE_BYTES, PROT_READ);
    is_int(memoryspace_put(space, region.start, bytes, sizeof(bytes) / 2), 0,
           "a run is put into several mappings");
    is_int(memoryspace_put(space, region.start, NULL, sizeof(bytes)), 0,
           "and zeros into what is left");
    memoryspace_free(space);
    ok(memcmp(memory, bytes, sizeof(bytes) / 2) == 0, "all of the run is there");
    memset(bytes, 0, sizeof(bytes));
    ok(memcmp(memory + sizeof(bytes) / 2, bytes, sizeof(bytes) / 2) == 0, "and so are the zeros");
}

static int userfault_open(void)
{
    return (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
}

int main(void)
{
    int fd = userfault_open();

    if (fd < 0) {
        printf("1..0 # SKIP no userfaultfd: %s\n", strerror(errno));
        return 0;
    }
    touch_beside_change(fd);
    run_across_mappings(userfault_open());
    return done_testing();
}
