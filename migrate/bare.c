/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The little of libc that the ghost uses, under libc's names: its start, system calls, bytes.
 *
 * A ghost is started for each remote process, and most of what starting it took was libc's own
 * beginning, which asks the processor what it is; in a virtual machine each such question goes to
 * the host. Without libc it starts in a fifth of the time and has some ten pages of its own. Where
 * this does not fit the machine, or sanitizers want their libc, the ghost is linked with libc.
 */
#include "config.h"

#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/rawcall.h"

#define LARGEST_ERRNO 4095

char **environ;

/* Compilers' guards against overflows look at it; they need not find anything. */
__attribute__((used)) static uint64_t bare_thread[16];

int main(int argc, char **argv);

__attribute__((noreturn, used)) static void bare_start(long *stack)
{
    char **argv = (char **)(stack + 1);

    environ = argv + *stack + 1;
    _exit(main((int)*stack, argv));
}

/* The thread's own memory has to be there before the first function of C. */
__asm__(".globl _start\n"
        "_start:\n"
        "    mov %rsp, %rbx\n"
        "    mov $158, %eax\n"          /* SYS_arch_prctl */
        "    mov $0x1002, %edi\n"       /* ARCH_SET_FS */
        "    lea bare_thread(%rip), %rsi\n"
        "    syscall\n"
        "    xor %ebp, %ebp\n"
        "    mov %rbx, %rdi\n"
        "    and $-16, %rsp\n"
        "    call bare_start\n");

_Static_assert(SYS_arch_prctl == 158 && ARCH_SET_FS == 0x1002, "_start knows other numbers");

__attribute__((noreturn)) void __stack_chk_fail(void);

void __stack_chk_fail(void)
{
    __builtin_trap();
}

/* ---- system calls ---- */

int *__errno_location(void)
{
    static int value;

    return &value;
}

static long call6(long number, long a, long b, long c, long d, long e, long f)
{
    long result = raw_call(number, a, b, c, d, e, f);

    if (result >= 0 || result < -LARGEST_ERRNO)
        return result;
    errno = (int)-result;
    return -1;
}

#define CALL4(number, a, b, c, d) call6(number, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define CALL3(number, a, b, c) CALL4(number, a, b, c, 0)
#define CALL2(number, a, b) CALL3(number, a, b, 0)
#define CALL1(number, a) CALL2(number, a, 0)
#define CALL0(number) CALL1(number, 0)

long syscall(long number, ...)
{
    long args[6];
    va_list ap;

    va_start(ap, number);
    for (int i = 0; i < 6; i++)
        args[i] = va_arg(ap, long);
    va_end(ap);
    return call6(number, args[0], args[1], args[2], args[3], args[4], args[5]);
}

void _exit(int status)
{
    for (;;)
        CALL1(SYS_exit_group, status);
}

ssize_t read(int fd, void *bytes, size_t len)
{
    return CALL3(SYS_read, fd, bytes, len);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    return CALL3(SYS_write, fd, bytes, len);
}

int open(const char *path, int flags, ...)
{
    return (int)CALL2(SYS_open, path, flags);
}

int close(int fd)
{
    return (int)CALL1(SYS_close, fd);
}

int dup2(int from, int to)
{
    return (int)CALL2(SYS_dup2, from, to);
}

int fcntl(int fd, int command, ...)
{
    va_list ap;
    long arg;

    va_start(ap, command);
    arg = va_arg(ap, long);
    va_end(ap);
    return (int)CALL3(SYS_fcntl, fd, command, arg);
}

int poll(struct pollfd *fds, nfds_t count, int ms)
{
    return (int)CALL3(SYS_poll, fds, count, ms);
}

int socket(int domain, int type, int protocol)
{
    return (int)CALL3(SYS_socket, domain, type, protocol);
}

int connect(int fd, const struct sockaddr *address, socklen_t len)
{
    return (int)CALL3(SYS_connect, fd, address, len);
}

int chdir(const char *path)
{
    return (int)CALL1(SYS_chdir, path);
}

void *mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
    return (void *)call6(SYS_mmap, (long)at, (long)len, protection, flags, fd, offset);
}

pid_t fork(void)
{
    return (pid_t)CALL0(SYS_fork);
}

int execve(const char *path, char *const argv[], char *const envp[])
{
    return (int)CALL3(SYS_execve, path, argv, envp);
}

pid_t waitpid(pid_t pid, int *status, int options)
{
    return (pid_t)CALL4(SYS_wait4, pid, status, options, NULL);
}

pid_t getpid(void)
{
    return (pid_t)CALL0(SYS_getpid);
}

pid_t getppid(void)
{
    return (pid_t)CALL0(SYS_getppid);
}

pid_t getpgrp(void)
{
    return (pid_t)CALL0(SYS_getpgrp);
}

int setpgid(pid_t pid, pid_t group)
{
    return (int)CALL2(SYS_setpgid, pid, group);
}

pid_t getsid(pid_t pid)
{
    return (pid_t)CALL1(SYS_getsid, pid);
}

pid_t setsid(void)
{
    return (pid_t)CALL0(SYS_setsid);
}

int kill(pid_t pid, int signo)
{
    return (int)CALL2(SYS_kill, pid, signo);
}

int sigaction(int signo, const struct sigaction *action, struct sigaction *before)
{
    struct kernel_action kernel = { .handler = action->sa_handler };

    (void)before;
    return (int)CALL4(SYS_rt_sigaction, signo, &kernel, NULL, KERNEL_SIGSET);
}

int sigprocmask(int how, const sigset_t *set, sigset_t *before)
{
    return (int)CALL4(SYS_rt_sigprocmask, how, set, before, KERNEL_SIGSET);
}

int sigpending(sigset_t *set)
{
    return (int)CALL2(SYS_rt_sigpending, set, KERNEL_SIGSET);
}

int signalfd(int fd, const sigset_t *set, int flags)
{
    return (int)CALL4(SYS_signalfd4, fd, set, KERNEL_SIGSET, flags);
}

int prctl(int option, ...)
{
    va_list ap;
    long arg;

    va_start(ap, option);
    arg = va_arg(ap, long);
    va_end(ap);
    return (int)CALL2(SYS_prctl, option, arg);
}

int setrlimit(__rlimit_resource_t which, const struct rlimit *limit)
{
    return (int)CALL2(SYS_setrlimit, which, limit);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    return (int)CALL2(SYS_clock_gettime, clock, now);
}

/* ---- bytes ---- */

int sigfillset(sigset_t *set)
{
    memset(set, 0xff, sizeof(*set));
    return 0;
}

int sigemptyset(sigset_t *set)
{
    memset(set, 0, sizeof(*set));
    return 0;
}

int sigaddset(sigset_t *set, int signo)
{
    set->__val[0] |= 1UL << (signo - 1);
    return 0;
}

int sigismember(const sigset_t *set, int signo)
{
    return (set->__val[0] >> (signo - 1)) & 1;
}

void *memset(void *bytes, int value, size_t len)
{
    void *at = bytes;

    __asm__ volatile("rep stosb" : "+D"(at), "+c"(len) : "a"(value) : "memory");
    return bytes;
}

void *memcpy(void *to, const void *from, size_t len)
{
    void *at = to;

    __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(len) : : "memory");
    return to;
}

char *getenv(const char *name)
{
    for (char **entry = environ; *entry; entry++) {
        size_t i = 0;

        while (name[i] && (*entry)[i] == name[i])
            i++;
        if (!name[i] && (*entry)[i] == '=')
            return *entry + i + 1;
    }
    return NULL;
}
