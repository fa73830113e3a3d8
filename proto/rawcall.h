/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * System calls past libc: for what runs without it, and for a process that shares the memory of
 * another one for a while and must leave its errno alone. The kernel's numbers (SYS_*) and types.
 */
#ifndef BPROC_RAWCALL_H
#define BPROC_RAWCALL_H

#include <stdint.h>

#define KERNEL_SIGSET 8             /* bytes of the kernel's own sigset_t, bit n-1 for signal n */

/* As the kernel wants it; libc's own struct is another one. */
struct kernel_action {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

/* The result, or -errno. Blocks as the call does. */
#ifdef __x86_64__

static inline long raw_call(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;

    __asm__ volatile("syscall" : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#else

#include <errno.h>
#include <unistd.h>

static inline long raw_call(long number, long a, long b, long c, long d, long e, long f)
{
    long result = syscall(number, a, b, c, d, e, f);

    return result < 0 ? -errno : result;
}

#endif

#define RAW4(number, a, b, c, d) raw_call(number, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define RAW3(number, a, b, c) RAW4(number, a, b, c, 0)
#define RAW2(number, a, b) RAW3(number, a, b, 0)
#define RAW1(number, a) RAW2(number, a, 0)
#define RAW0(number) RAW1(number, 0)

#endif
