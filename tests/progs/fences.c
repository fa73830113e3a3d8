/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fences CASE NODE...: memory with pages in its midst that nobody may touch, as libc makes them for
 * the stacks of threads. They stay so wherever the process goes, and what is around them is there.
 */
#include "config.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include "tests/progs/prog.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#define PAGE 4096UL
#define MIB (1UL << 20)
#define FLAGS (BPROC_DUMP_EXEC | BPROC_DUMP_OTHER)

static sigjmp_buf fault;
static char *memory;
static size_t size, added[2];

static void fault_take(int signo)
{
    siglongjmp(fault, signo);
}

static int faults(const volatile char *at)
{
    if (sigsetjmp(fault, 1))
        return 1;
    (void)*at;
    return 0;
}

/* The first ones, one, several in a row. */
static int is_fence(size_t page)
{
    size_t middle = size / PAGE / 2;

    return page < 2 || page == middle - 7 || (page >= middle && page < middle + 3) ||
           (page >= added[0] && page < added[1]);
}

static void memory_make(size_t bytes)
{
    size = bytes;
    memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED, "cannot map memory: %s", strerror(errno));
    for (size_t i = 0; i < size / PAGE; i++) {
        if (!is_fence(i))
            memset(memory + i * PAGE, (int)(i % 251 + 1), PAGE);
        else if (madvise(memory + i * PAGE, PAGE, MADV_GUARD_INSTALL) < 0)
            exit(77);
    }
    signal(SIGSEGV, fault_take);
}

static void memory_expect(const char *where)
{
    for (size_t i = 0; i < size / PAGE; i++) {
        CHECK(faults(memory + i * PAGE) == is_fence(i), "%s: page %zu is %s", where, i,
              is_fence(i) ? "no fence" : "a fence");
        CHECK(is_fence(i) || memory[i * PAGE + 9] == (char)(i % 251 + 1),
              "%s: page %zu differs", where, i);
    }
}

static void child_look(const char *node, int flags)
{
    pid_t pid = _bproc_rfork(atoi(node), flags);

    if (pid < 0)
        die("cannot fork onto node %s: %s", node, bproc_strerror(errno));
    if (pid > 0) {
        child_expect(pid, 0);
        return;
    }
    memory_expect("on the node");
    _exit(0);
}

static void copied(int argc, char **argv)
{
    (void)argc;
    memory_make(16 * MIB);
    child_look(argv[0], FLAGS);
    memory_expect("at home");
}

static void small(int argc, char **argv)
{
    (void)argc;
    memory_make(MIB / 2);
    child_look(argv[0], FLAGS);
}

static void lazy(int argc, char **argv)
{
    (void)argc;
    memory_make(16 * MIB);
    child_look(argv[0], FLAGS | BPROC_RFORK_LAZY);
}

/* Those that it makes there, of what has come, while other pages are missing, too. */
static void onward(int argc, char **argv)
{
    pid_t pid;

    (void)argc;
    memory_make(16 * MIB);
    pid = _bproc_rfork(atoi(argv[0]), FLAGS | BPROC_RFORK_LAZY);
    if (pid > 0) {
        child_expect(pid, 0);
        return;
    }
    CHECK(pid == 0, "cannot fork onto node %s: %s", argv[0], bproc_strerror(errno));
    added[0] = 5 * MIB / PAGE;
    added[1] = 6 * MIB / PAGE;
    for (size_t at = 5 * MIB; at < 6 * MIB; at += PAGE)
        (void)*(volatile char *)(memory + at);
    MUST(madvise(memory + 5 * MIB, MIB, MADV_GUARD_INSTALL));
    child_look(argv[1], FLAGS);
    _exit(0);
}

static const struct prog_case cases[] = {
    { "copied", copied }, { "small", small }, { "lazy", lazy }, { "onward", onward },
    { NULL, NULL },
};

int main(int argc, char **argv)
{
    return prog_run(cases, argc, argv);
}
