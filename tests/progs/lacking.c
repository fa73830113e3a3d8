/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lacking CASE NODE FILE: processes that run without all of their memory, whose last pages never
 * come. They may wait or die, but not see zeros: if one does, FILE, which is the node's, says so.
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <linux/userfaultfd.h>

#include "tests/progs/prog.h"

#define PAGE 4096UL
#define SIZE (64UL << 20)
#define KEPT 200                        /* far above all other descriptors */

static char *memory, *file;
static int keeps;

/* In place of libc's, for the library too: what it asks for is kept, as a process may do. */
long syscall(long number, ...)
{
    va_list ap;
    long arg[6], result;

    va_start(ap, number);
    for (int i = 0; i < 6; i++)
        arg[i] = va_arg(ap, long);
    va_end(ap);
    {
        register long r10 __asm__("r10") = arg[3], r8 __asm__("r8") = arg[4];
        register long r9 __asm__("r9") = arg[5];

        __asm__ volatile("syscall" : "=a"(result)
                         : "a"(number), "D"(arg[0]), "S"(arg[1]), "d"(arg[2]), "r"(r10), "r"(r8),
                           "r"(r9)
                         : "rcx", "r11", "memory");
    }
    if (keeps && number == SYS_ioctl && (unsigned long)arg[1] == USERFAULTFD_IOC_NEW && result >= 0)
        dup2((int)result, KEPT);
    if (result < 0 && result > -4096) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

static void note(const char *text)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_APPEND, 0666);

    (void)!write(fd, text, strlen(text));
    close(fd);
}

/* The last pages are those that the sender comes to last. */
static void memory_look(void)
{
    for (size_t at = 0; at < SIZE; at += PAGE)
        if (*(volatile uintptr_t *)(void *)(memory + at) != (uintptr_t)memory + at) {
            note("a page is not what it was\n");
            _exit(1);
        }
}

static pid_t lazy_fork(char **argv)
{
    pid_t pid;

    file = argv[1];
    memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED, "cannot map memory: %s", strerror(errno));
    for (size_t at = 0; at < SIZE; at += PAGE)
        *(uintptr_t *)(void *)(memory + at) = (uintptr_t)memory + at;
    pid = _bproc_rfork(atoi(argv[0]), BPROC_DUMP_EXEC | BPROC_DUMP_OTHER | BPROC_RFORK_LAZY);
    if (pid < 0)
        die("cannot fork onto node %d: %s", atoi(argv[0]), bproc_strerror(errno));
    return pid;
}

/* A process that needs what does not come. */
static void waits(int argc, char **argv)
{
    pid_t pid = lazy_fork(argv);

    (void)argc;
    if (pid > 0) {
        child_expect(pid, SIGKILL);
        return;
    }
    note("runs\n");
    memory_look();
    _exit(0);
}

/* What a process has forked that has ended since: nobody knows of it any more. */
static void survives(int argc, char **argv)
{
    pid_t pid = lazy_fork(argv);
    char text[64];
    int status;

    (void)argc;
    if (pid > 0) {
        child_expect(pid, 0);
        return;
    }
    MUST(pid = fork());
    if (pid > 0)
        _exit(0);
    MUST(pid = fork());
    if (pid == 0) {
        note("runs\n");
        memory_look();
        _exit(0);
    }
    MUST(waitpid(pid, &status, 0));
    snprintf(text, sizeof(text), "status %d\n", status);
    note(text);
    _exit(0);
}

/* It has a descriptor of its own memory, by which it could make wait whoever reads from that. */
static void tampers(int argc, char **argv)
{
    sigset_t sign;
    pid_t pid;
    int number;

    (void)argc;
    keeps = 1;
    sigemptyset(&sign);
    sigaddset(&sign, SIGUSR1);
    MUST(sigprocmask(SIG_BLOCK, &sign, NULL));
    pid = lazy_fork(argv);
    if (pid > 0) {
        MUST(kill(pid, SIGUSR1));
        child_expect(pid, SIGKILL);
        return;
    }
    /* Before the call has returned, it would fail. */
    MUST(-sigwait(&sign, &number));
    MUST(fcntl(KEPT, F_SETFL, 0));
    note("runs\n");
    memory_look();
    _exit(0);
}

static const struct prog_case cases[] = {
    { "waits", waits }, { "survives", survives }, { "tampers", tampers }, { NULL, NULL },
};

int main(int argc, char **argv)
{
    return prog_run(cases, argc, argv);
}
