/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inherit_memory NODE: every kind of memory that a process can have is the same in the child. */
#include "config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include "tests/progs/remote.h"

#define BIG (24 << 20)
#define PAGE 4096

static int data = 17;
static int zero;
static _Thread_local int local = 18;
static const char *const words[] = { "one", "two" };

static unsigned char *big;
static char *anonymous, *shared, *private_file, *read_only, *hole;
static volatile int *on_stack;
static sigjmp_buf fault;

static void pattern_fill(unsigned char *at, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++)
        at[i] = (unsigned char)(seed = seed * 1103515245 + 12345);
}

static bool pattern_is(const unsigned char *at, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++)
        if (at[i] != (unsigned char)(seed = seed * 1103515245 + 12345))
            return false;
    return true;
}

static void fault_take(int signo)
{
    siglongjmp(fault, signo);
}

/* Whether reading or writing there faults, as it should. */
static bool faults(volatile char *at, bool writing)
{
    if (sigsetjmp(fault, 1))
        return true;
    if (writing)
        *at = 1;
    else
        (void)*at;
    return false;
}

static void maps_make(void)
{
    FILE *file = tmpfile();
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    anonymous = mmap(NULL, PAGE * 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    read_only = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    hole = mmap(NULL, PAGE * 3, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    private_file = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    if (!file || anonymous == MAP_FAILED || shared == MAP_FAILED || read_only == MAP_FAILED ||
        hole == MAP_FAILED || private_file == MAP_FAILED)
        exit(2);
    fclose(file);
    close(fd);
    strcpy(anonymous, "anonymous");
    strcpy(shared, "shared");
    strcpy(read_only, "read only");
    memcpy(private_file + 100, "written", 8);
    mprotect(read_only, PAGE, PROT_READ);
    munmap(hole + PAGE, PAGE);
}

static void look(void)
{
    signal(SIGSEGV, fault_take);
    is_int(data, 19, "a variable with a value");
    is_int(zero, 20, "a variable without one");
    is_int(local, 21, "a thread's own variable");
    is_int(*on_stack, 22, "the stack");
    is_str(words[1], "two", "constants");
    ok(pattern_is(big, BIG, 1), "%d MiB of heap", BIG >> 20);
    is_str(anonymous, "anonymous", "an anonymous mapping");
    is_int(anonymous[PAGE * 2], 0, "a page of it that was never touched");
    is_str(shared, "shared", "a shared anonymous mapping");
    is_str(private_file + 100, "written", "a changed page of a private file mapping");
    ok(memcmp(private_file, "\177ELF", 4) == 0, "and the rest of that page");
    is_str(read_only, "read only", "a read-only page");
    ok(faults(read_only, true), "which cannot be written");
    ok(faults(hole + PAGE, false), "what is unmapped in the parent is unmapped");
    ok(!faults(hole + 2 * PAGE, false), "and what lies behind it is not");
    /* All of it can be changed, and the parent must not notice. */
    data = zero = local = *on_stack = -1;
    memset(big, 0, BIG);
    strcpy(anonymous, "child's");
    strcpy(private_file + 100, "child's");
    free(big);
}

int main(int argc, char **argv)
{
    int node = remote_node(argc, argv);
    volatile int here = 22;

    big = malloc(BIG);
    pattern_fill(big, BIG, 1);
    data = 19;
    zero = 20;
    local = 21;
    on_stack = &here;
    maps_make();
    remote_look(node, look);
    ok(data == 19 && zero == 20 && local == 21 && here == 22 && pattern_is(big, BIG, 1) &&
           strcmp(anonymous, "anonymous") == 0 && strcmp(private_file + 100, "written") == 0,
       "the parent's memory is as before");
    return done_testing();
}
