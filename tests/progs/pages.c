/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pages CASE NODE: memory that is large enough to travel beside the image. What is there was laid
 * out by the parent; the child on the node looks at all of it, then uses it.
 */
#include "config.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "tests/progs/prog.h"

#define PAGE 4096UL
#define MIB (1UL << 20)
#define RW (PROT_READ | PROT_WRITE)
#define LISTS 20000

static sigjmp_buf fault;

static void fault_take(int signo)
{
    siglongjmp(fault, signo);
}

static int faults(volatile char *at)
{
    if (sigsetjmp(fault, 1))
        return 1;
    *at = 1;
    return 0;
}

static char *region_make(size_t size)
{
    char *at = mmap(NULL, size, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(at != MAP_FAILED, "cannot map %zu bytes: %s", size, strerror(errno));
    return at;
}

/* Every word tells where it is, so that no page can stand for another. */
static void words_write(char *at, size_t size)
{
    for (size_t i = 0; i < size; i += sizeof(uintptr_t))
        *(uintptr_t *)(void *)(at + i) = ((uintptr_t)at + i) * 0x9e3779b97f4a7c15UL;
}

static void words_expect(const char *what, const char *at, size_t size)
{
    for (size_t i = 0; i < size; i += sizeof(uintptr_t))
        CHECK(*(const uintptr_t *)(const void *)(at + i) ==
                  ((uintptr_t)at + i) * 0x9e3779b97f4a7c15UL,
              "%s: byte %zu of %zu differs", what, i, size);
}

static void zeros_expect(const char *what, const char *at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        CHECK(at[i] == 0, "%s: byte %zu is %d", what, i, at[i]);
}

/* ---- whole: 64 MiB with holes and zeros ---- */

static void whole(int argc, char **argv)
{
    char *at = region_make(64 * MIB), *zeros = at + 32 * MIB;
    pid_t pid;

    (void)argc;
    words_write(at, 16 * MIB);
    for (size_t i = 20 * MIB; i < 24 * MIB; i += 2 * PAGE)
        words_write(at + i, PAGE);
    memset(zeros, 1, 8 * MIB);
    memset(zeros, 0, 8 * MIB);
    words_write(at + 60 * MIB, 4 * MIB);
    pid = fork_to(atoi(argv[0]));
    if (pid > 0) {
        /* It is not read any more: what the parent does now is his own. */
        memset(at, 7, 64 * MIB);
        child_expect(pid, 0);
        return;
    }
    words_expect("data", at, 16 * MIB);
    zeros_expect("hole", at + 16 * MIB, 4 * MIB);
    for (size_t i = 20 * MIB; i < 24 * MIB; i += 2 * PAGE) {
        words_expect("single page", at + i, PAGE);
        zeros_expect("page between", at + i + PAGE, PAGE);
    }
    zeros_expect("zeros", zeros, 8 * MIB);
    words_expect("end", at + 60 * MIB, 4 * MIB);
    memset(at, 3, 64 * MIB);
    _exit(0);
}

/* ---- heap: what malloc has, and that it goes on ---- */

struct link {
    struct link *next;
    size_t size;
    char bytes[];
};

static void heap(int argc, char **argv)
{
    struct link *first = NULL;
    char *large = malloc(8 * MIB);
    pid_t pid;

    (void)argc;
    words_write(large, 8 * MIB);
    for (size_t i = 0; i < LISTS; i++) {
        size_t size = 16 + i * 37 % 600;
        struct link *link = malloc(sizeof(*link) + size);

        memset(link->bytes, (int)(i & 0xff), size);
        link->size = size;
        link->next = first;
        first = link;
    }
    pid = fork_to(atoi(argv[0]));
    if (pid > 0) {
        child_expect(pid, 0);
        return;
    }
    words_expect("a large piece", large, 8 * MIB);
    free(large);
    for (size_t i = LISTS; i-- > 0;) {
        struct link *next = first->next;

        for (size_t b = 0; b < first->size; b++)
            CHECK(first->bytes[b] == (char)(i & 0xff), "byte %zu of piece %zu differs", b, i);
        free(first);
        first = next;
    }
    CHECK(first == NULL, "the list has no end");
    for (size_t i = 0; i < LISTS; i++)
        CHECK(malloc(1 + i % 3000), "cannot allocate on the node");
    _exit(0);
}

/* ---- regions: of every kind, side by side ---- */

static long flag_of(const char *at, const char *flag)
{
    FILE *smaps = fopen("/proc/self/smaps", "re");
    unsigned long start, end;
    char line[512];
    int here = 0;

    while (smaps && fgets(line, sizeof(line), smaps)) {
        if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
            here = (unsigned long)at >= start && (unsigned long)at < end;
        if (here && strncmp(line, "VmFlags:", 8) == 0) {
            fclose(smaps);
            return strstr(line, flag) != NULL;
        }
    }
    if (smaps)
        fclose(smaps);
    return -1;
}

static void regions(int argc, char **argv)
{
    char *read_only = region_make(MIB), *nothing = region_make(MIB), *code = region_make(MIB);
    char *shared = mmap(NULL, MIB, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *huge = region_make(4 * MIB), *wiped = region_make(MIB), *many[40];
    pid_t pid;

    (void)argc;
    words_write(read_only, MIB);
    words_write(nothing, MIB);
    words_write(code, MIB);
    words_write(shared, MIB);
    words_write(huge, 4 * MIB);
    words_write(wiped, MIB);
    MUST(mprotect(read_only, MIB, PROT_READ));
    MUST(mprotect(nothing, MIB, PROT_NONE));
    MUST(mprotect(code, MIB, PROT_READ | PROT_EXEC));
    MUST(madvise(huge, 4 * MIB, MADV_NOHUGEPAGE));
    MUST(madvise(wiped, MIB, MADV_WIPEONFORK));
    for (unsigned i = 0; i < 40; i++) {
        many[i] = region_make(MIB / 2);
        words_write(many[i], MIB / 2);
        MUST(mprotect(many[i] + MIB / 4, PAGE, PROT_READ));
    }
    pid = fork_to(atoi(argv[0]));
    if (pid > 0) {
        child_expect(pid, 0);
        return;
    }
    signal(SIGSEGV, fault_take);
    words_expect("read only", read_only, MIB);
    CHECK(faults(read_only), "what was read only can be written to");
    CHECK(faults(nothing), "what was not to be touched can be");
    MUST(mprotect(nothing, MIB, PROT_READ));
    words_expect("not to be touched", nothing, MIB);
    words_expect("executable", code, MIB);
    CHECK(faults(code), "what was executable can be written to");
    words_expect("shared", shared, MIB);
    words_expect("huge", huge, 4 * MIB);
    CHECK(flag_of(huge, " nh") != 0, "the advice about huge pages is gone");
    zeros_expect("wiped", wiped, MIB);
    CHECK(flag_of(wiped, " wf") != 0, "the advice to wipe is gone");
    for (unsigned i = 0; i < 40; i++)
        words_expect("one of many", many[i], MIB / 2);
    _exit(0);
}

/* ---- thread: rfork by a thread other than the first ---- */

static char *thread_data;
static int thread_node;

static void *thread_run(void *arg)
{
    char local[PAGE * 8];
    pid_t pid;

    words_write(local, sizeof(local));
    pid = fork_to(thread_node);
    if (pid > 0) {
        child_expect(pid, 0);
        return arg;
    }
    words_expect("the thread's stack", local, sizeof(local));
    words_expect("the process's memory", thread_data, 4 * MIB);
    CHECK(syscall(SYS_gettid) == getpid(), "the thread is not the process's only one");
    _exit(0);
}

static void *thread_wait(void *arg)
{
    char local[PAGE * 64];

    words_write(local, sizeof(local));
    for (;;)
        pause();
    return arg;
}

static void thread(int argc, char **argv)
{
    pthread_t one, other;

    (void)argc;
    thread_node = atoi(argv[0]);
    thread_data = region_make(4 * MIB);
    words_write(thread_data, 4 * MIB);
    MUST(-pthread_create(&other, NULL, thread_wait, NULL));
    MUST(-pthread_create(&one, NULL, thread_run, NULL));
    MUST(-pthread_join(one, NULL));
}

/* ---- children: of a child, and that a parent has no others than he made ---- */

static void children(int argc, char **argv)
{
    char *at = region_make(8 * MIB);
    pid_t pid;

    (void)argc;
    words_write(at, 8 * MIB);
    MUST(prctl(PR_SET_CHILD_SUBREAPER, 1));
    pid = fork_to(atoi(argv[0]));
    if (pid == 0) {
        pid = fork();
        if (pid == 0) {
            words_expect("a grandchild's memory", at, 8 * MIB);
            _exit(3);
        }
        child_expect(pid, 3 << 8);
        words_expect("memory after a fork", at, 8 * MIB);
        _exit(4);
    }
    child_expect(pid, 4 << 8);
    CHECK(waitpid(-1, NULL, __WALL) < 0 && errno == ECHILD, "there is another child");
}

/* ---- refused: a call that fails leaves the memory as it was, and no child ---- */

static void refused(int argc, char **argv)
{
    char *at = region_make(8 * MIB);
    FILE *before, *after;
    int closed[2];

    (void)argc;
    words_write(at, 8 * MIB);
    MUST(pipe(closed));
    before = fopen("/proc/self/maps", "re");
    CHECK(_bproc_rfork(atoi(argv[0]), BPROC_DUMP_ALL) < 0, "the call did not fail");
    after = fopen("/proc/self/maps", "re");
    CHECK(before && after, "cannot look at the maps");
    words_expect("memory after a failure", at, 8 * MIB);
    CHECK(waitpid(-1, NULL, __WALL) < 0 && errno == ECHILD, "a child is left");
}

/* ---- move: the process itself, there and on ---- */

static void move(int argc, char **argv)
{
    char *at = region_make(16 * MIB);
    pid_t pid = getpid();

    words_write(at, 16 * MIB);
    for (int i = 0; i < argc; i++) {
        if (bproc_move(atoi(argv[i])) < 0)
            die("cannot move to node %s: %s", argv[i], bproc_strerror(errno));
        CHECK(bproc_currnode() == atoi(argv[i]), "it is on node %d", bproc_currnode());
        CHECK(getpid() == pid, "it has another number");
        words_expect("memory after a move", at, 16 * MIB);
        free(malloc(MIB));
        words_write(at, MIB);
    }
}

/* ---- lazy: the child runs before it has all ---- */

static char *lazy_memory;
static size_t lazy_size;

static pid_t lazy_fork(int node, size_t size)
{
    pid_t pid;

    lazy_size = size;
    lazy_memory = region_make(size);
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
    { "whole", whole }, { "heap", heap }, { "regions", regions }, { "thread", thread },
    { "children", children }, { "refused", refused }, { "move", move },
    { "scattered", scattered }, { "kernel", kernel }, { "forks", forks },
    { "changes", changes }, { "onward", onward },
    { "brief", brief }, { "cut", cut }, { NULL, NULL },
};

int main(int argc, char **argv)
{
    return prog_run(cases, argc, argv);
}
