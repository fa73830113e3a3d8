/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lazy CASE NODE: children that run before all of their memory is there (BPROC_RFORK_LAZY), and
 * never notice.
 */
#include "config.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "tests/progs/memory.h"

static char *lazy_memory;
static size_t lazy_size;

static pid_t lazy_fork_with(int node, char *memory, size_t size)
{
    pid_t pid;

    lazy_size = size;
    lazy_memory = memory;
    words_write(lazy_memory, size);
    pid = _bproc_rfork(node, BPROC_DUMP_EXEC | BPROC_DUMP_OTHER | BPROC_RFORK_LAZY);
    if (pid < 0)
        die("cannot fork onto node %d: %s", node, bproc_strerror(errno));
    if (pid > 0) {
        /* It has a memory of its own, wherever that is. */
        memset(lazy_memory, 7, size);
        child_expect(pid, 0);
    }
    return pid;
}

static pid_t lazy_fork(int node, size_t size)
{
    return lazy_fork_with(node, region_make(size), size);
}

static size_t page_pick(size_t i, size_t pages)
{
    return i * 7919 % pages * PAGE;
}

/* Every page, in an order that nobody foresees. */
static void scattered(int argc, char **argv)
{
    size_t pages = (size_t)atoi(argv[1]) * MIB / PAGE;

    (void)argc;
    if (lazy_fork(atoi(argv[0]), pages * PAGE) > 0)
        return;
    for (size_t i = 0; i < pages; i++) {
        words_expect("a page out of turn", lazy_memory + page_pick(i, pages), PAGE);
        *(uintptr_t *)(void *)(lazy_memory + page_pick(i, pages)) += 1;
    }
    for (size_t i = 0; i < pages; i++)
        words_expect("the rest of it", lazy_memory + i * PAGE + 8, PAGE - 8);
    _exit(0);
}

/* What the kernel touches in the process's name. */
static void kernel(int argc, char **argv)
{
    char buffer[PAGE], *there;
    int ends[2];

    (void)argc;
    if (lazy_fork(atoi(argv[0]), 32 * MIB) > 0)
        return;
    MUST(pipe(ends));
    for (size_t i = 0; i < 32; i++) {
        there = lazy_memory + (31 - i) * MIB + 8 * PAGE;
        MUST(write(ends[1], there, PAGE));
        CHECK(read_all(ends[0], buffer, PAGE) == PAGE, "the pipe is short");
        words_expect("what was written", there, PAGE);
        CHECK(memcmp(buffer, there, PAGE) == 0, "write took other bytes from page %zu", i);
        MUST(write(ends[1], buffer, PAGE));
        CHECK(read_all(ends[0], there + 8 * PAGE, PAGE) == PAGE, "the pipe is short");
        CHECK(memcmp(buffer, there + 8 * PAGE, PAGE) == 0, "read put other bytes to page %zu", i);
    }
    _exit(0);
}

/* Children of the child, made while pages are missing: each has all of them. */
static void forks(int argc, char **argv)
{
    pid_t pids[4];

    (void)argc;
    if (lazy_fork(atoi(argv[0]), 64 * MIB) > 0)
        return;
    for (int i = 0; i < 4; i++) {
        words_expect("before a fork", lazy_memory + (size_t)i * 5 * MIB, MIB);
        MUST(pids[i] = fork());
        if (pids[i] == 0) {
            words_expect("in a child of the child", lazy_memory, lazy_size);
            _exit(5);
        }
    }
    words_expect("after the forks", lazy_memory, lazy_size);
    for (int i = 0; i < 4; i++)
        child_expect(pids[i], 5 << 8);
    _exit(0);
}

/* Maps that change while pages are missing. */
static void changes(int argc, char **argv)
{
    char *moved, *kept, *there = region_make(MIB);
    size_t part = 8 * MIB;

    (void)argc;
    if (lazy_fork(atoi(argv[0]), 64 * MIB) > 0)
        return;
    MUST(munmap(lazy_memory + 7 * part, part));
    MUST(madvise(lazy_memory + 6 * part, part, MADV_DONTNEED));
    MUST(mprotect(lazy_memory + 5 * part, part, PROT_READ));
    moved = mremap(lazy_memory + 4 * part, part, 2 * part, MREMAP_MAYMOVE);
    CHECK(moved != MAP_FAILED, "cannot move memory: %s", strerror(errno));
    kept = lazy_memory + 4 * part;
    for (size_t i = 0; i < part; i += sizeof(uintptr_t))
        CHECK(*(uintptr_t *)(void *)(moved + i) == ((uintptr_t)kept + i) * 0x9e3779b97f4a7c15UL,
              "byte %zu of what was moved differs", i);
    zeros_expect("what was added", moved + part, part);
    words_expect("what became read only", lazy_memory + 5 * part, part);
    zeros_expect("what was thrown away", lazy_memory + 6 * part, part);
    words_expect("what stays", lazy_memory, 4 * part);
    memset(there, 1, MIB);
    _exit(0);
}

/* Mappings that are split, over and over, where pages are missing; the kernel tells nobody. */
static void splits(int argc, char **argv)
{
    (void)argc;
    if (lazy_fork(atoi(argv[0]), 64 * MIB) > 0)
        return;
    for (size_t i = 0; i < lazy_size; i += 101 * PAGE)
        MUST(mprotect(lazy_memory + i, PAGE, PROT_READ));
    words_expect("what became many mappings", lazy_memory, lazy_size);
    _exit(0);
}

/* Memory that is one mapping with what the thread itself stands on, of which nothing is missing. */
static char *region_beside(size_t size)
{
    uintptr_t start = 0, end = 0, thread = (uintptr_t)pthread_self();
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512], *at;

    CHECK(maps, "cannot read the maps: %s", strerror(errno));
    while (fgets(line, sizeof(line), maps) && sscanf(line, "%lx-%lx", &start, &end) == 2)
        if (start <= thread && thread < end)
            break;
    fclose(maps);
    at = mmap((void *)(start - size), size, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
              -1, 0);
    CHECK(at != MAP_FAILED, "cannot map beside the thread's memory: %s", strerror(errno));
    return at;
}

/* Moved in one, up to where that begins, while pages are missing. */
static void beside(int argc, char **argv)
{
    char *moved;

    (void)argc;
    if (lazy_fork_with(atoi(argv[0]), region_beside(64 * MIB), 64 * MIB) > 0)
        return;
    moved = mremap(lazy_memory, lazy_size, 2 * lazy_size, MREMAP_MAYMOVE);
    CHECK(moved != MAP_FAILED, "cannot move memory: %s", strerror(errno));
    for (size_t i = 0; i < lazy_size; i += sizeof(uintptr_t))
        CHECK(*(uintptr_t *)(void *)(moved + i) ==
                  ((uintptr_t)lazy_memory + i) * 0x9e3779b97f4a7c15UL,
              "byte %zu of what was moved differs", i);
    zeros_expect("what was added", moved + lazy_size, lazy_size);
    _exit(0);
}

/* On, before all of it is there: to `argv[1]` itself, or by a child of its own. */
static void onward(int argc, char **argv)
{
    pid_t pid;

    (void)argc;
    if (lazy_fork(atoi(argv[0]), 64 * MIB) > 0)
        return;
    pid = _bproc_rfork(atoi(argv[1]), BPROC_DUMP_EXEC | BPROC_DUMP_OTHER | BPROC_RFORK_LAZY);
    if (pid < 0)
        die("cannot fork on to node %s: %s", argv[1], bproc_strerror(errno));
    if (pid == 0) {
        words_expect("two nodes on", lazy_memory, lazy_size);
        _exit(6);
    }
    child_expect(pid, 6 << 8);
    MUST(bproc_move(atoi(argv[1])));
    CHECK(bproc_currnode() == atoi(argv[1]), "it is on node %d", bproc_currnode());
    words_expect("after a move", lazy_memory, lazy_size);
    _exit(0);
}

/* One of many threads: a page of its own. */
static void *crowd_member(void *page)
{
    words_expect("a thread's page", page, PAGE);
    return NULL;
}

/* More threads wait for pages at once than wishes fit on the way. */
static void crowd(int argc, char **argv)
{
    unsigned count = (unsigned)atoi(argv[1]);
    pthread_t *threads = calloc(count, sizeof(*threads));
    size_t step = (size_t)atoi(argv[2]) * PAGE;
    pthread_attr_t attr;

    (void)argc;
    CHECK(threads, "no memory");
    if (lazy_fork(atoi(argv[0]), count * step) > 0)
        return;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 64 << 10);
    for (unsigned i = 0; i < count; i++) {
        int error = pthread_create(&threads[i], &attr, crowd_member,
                                   lazy_memory + (count - 1 - i) * step);

        CHECK(error == 0, "cannot make thread %u: %s", i, strerror(error));
    }
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    _exit(0);
}

/* Ends at once, before its memory is there. */
static void brief(int argc, char **argv)
{
    (void)argc;
    for (int i = 0; i < 5; i++)
        if (lazy_fork(atoi(argv[0]), 32 * MIB) == 0)
            _exit(0);
    CHECK(waitpid(-1, NULL, __WALL) < 0 && errno == ECHILD, "there is another child");
}

/* Whoever has its memory dies: it must not go on without. */
static void cut(int argc, char **argv)
{
    char *at = region_make(64 * MIB);
    int status;
    pid_t pid;

    (void)argc;
    words_write(at, 64 * MIB);
    pid = _bproc_rfork(atoi(argv[0]), BPROC_DUMP_EXEC | BPROC_DUMP_OTHER | BPROC_RFORK_LAZY);
    if (pid < 0)
        die("cannot fork onto node %d: %s", atoi(argv[0]), bproc_strerror(errno));
    if (pid == 0) {
        for (size_t i = 0; i < 64 * MIB; i += sizeof(uintptr_t))
            if (*(uintptr_t *)(void *)(at + i) != ((uintptr_t)at + i) * 0x9e3779b97f4a7c15UL)
                _exit(1);
        _exit(0);
    }
    MUST(waitpid(pid, &status, 0));
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
          "the child ended with wait status %#x, not by SIGKILL", (unsigned)status);
}

static const struct prog_case cases[] = {
    { "scattered", scattered }, { "kernel", kernel }, { "forks", forks }, { "changes", changes },
{ "splits", splits },
    { "beside", beside }, { "crowd", crowd }, { "onward", onward }, { "brief", brief },
    { "cut", cut }, { NULL, NULL },
};

int main(int argc, char **argv)
{
    return prog_run(cases, argc, argv);
}
