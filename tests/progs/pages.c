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
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "tests/progs/memory.h"

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
    MUST(personality(ADDR_NO_RANDOMIZE));
    pid = fork_to(atoi(argv[0]));
    if (pid > 0) {
        child_expect(pid, 0);
        return;
    }
    CHECK(personality(0xffffffff) == ADDR_NO_RANDOMIZE, "another personality");
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

static const struct prog_case cases[] = {
    { "whole", whole }, { "heap", heap }, { "regions", regions }, { "thread", thread },
    { "children", children }, { "refused", refused }, { "move", move }, { NULL, NULL },
};

int main(int argc, char **argv)
{
    return prog_run(cases, argc, argv);
}
