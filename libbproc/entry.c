/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include <arpa/inet.h>

#include "libbproc/entry.h"
#include "proto/frame.h"

#if defined(__x86_64__) && defined(__LP64__)

#define TEXT(x) TEXT_OF(x)
#define TEXT_OF(x) #x

#define SYSCALL_BYTES 0x050fUL          /* the instruction */
#define CODE_64 0x33                    /* the code segment of 64-bit programs */
#define BUFFER 4096                     /* for one message at the gate; on the stack */

/* What follows the instructions in the page; they know where in it. Numbers as in messages. */
struct entry_data {
    uint64_t start;
    uint32_t gate_proc, settle, remote, reached_len;
    uint8_t reached[32];
    char cwd[PATH_MAX];
};
_Static_assert(offsetof(struct entry_data, gate_proc) == 8 &&
               offsetof(struct entry_data, settle) == 12 &&
               offsetof(struct entry_data, remote) == 16 &&
               offsetof(struct entry_data, reached_len) == 20 &&
               offsetof(struct entry_data, reached) == 24 &&
               offsetof(struct entry_data, cwd) == 56, "the instructions expect it so");

/*
 * rbx: the stack as the kernel left it; rsp: the buffer. A message is its length with the top bit
 * set, then version, kind, procedure, serial, status, number of descriptors, and the verdict.
 */
extern const char entry_code[], entry_code_end[];
__asm__(".pushsection .rodata\n"
        ".balign 16\n"
        "entry_code:\n"
        "    mov %rsp, %rbx\n"
        "    sub $" TEXT(BUFFER) " + 256, %rsp\n"
        "    and $-16, %rsp\n"
        "    lea 0f(%rip), %rdi\n"
        "    mov $" TEXT(SYS_chdir) ", %eax\n"
        "    syscall\n"
        "    jmp 5f\n"
        "1:  mov $4, %r14d\n"
        "    call 7f\n"
        "    mov (%rsp), %r14d\n"
        "    bswap %r14d\n"
        "    and $0x7fffffff, %r14d\n"
        "    cmp $28, %r14d\n"
        "    jb 9f\n"
        "    cmp $" TEXT(BUFFER) ", %r14d\n"
        "    ja 9f\n"
        "    call 7f\n"
        "    mov 8(%rsp), %eax\n"
        "    cmp 8 + entry_code_end(%rip), %eax\n"
        "    jne 9f\n"
        "    mov 24(%rsp), %eax\n"
        "    cmp 16 + entry_code_end(%rip), %eax\n"
        "    je 6f\n"
        "    cmp 12 + entry_code_end(%rip), %eax\n"
        "    jne 9f\n"
        /* It was restored: its folder, and /dev/null on what is connected to nothing. */
        "    lea 56 + entry_code_end(%rip), %rdi\n"
        "    mov $" TEXT(SYS_chdir) ", %eax\n"
        "    syscall\n"
        "    mov $2, %r12d\n"
        "3:  mov %r12d, %edi\n"
        "    lea 16(%rsp), %rsi\n"
        "    mov %rsp, %rdx\n"
        "    movl $128, (%rsp)\n"
        "    mov $" TEXT(SYS_getpeername) ", %eax\n"
        "    syscall\n"
        "    cmp $-" TEXT(ENOTCONN) ", %eax\n"
        "    jne 4f\n"
        "    lea 8f(%rip), %rdi\n"
        "    mov $2, %esi\n"             /* O_RDWR */
        "    mov $" TEXT(SYS_open) ", %eax\n"
        "    syscall\n"
        "    test %eax, %eax\n"
        "    js 4f\n"
        "    mov %eax, %r13d\n"
        "    mov %eax, %edi\n"
        "    mov %r12d, %esi\n"
        "    mov $" TEXT(SYS_dup2) ", %eax\n"
        "    syscall\n"
        "    mov %r13d, %edi\n"
        "    mov $" TEXT(SYS_close) ", %eax\n"
        "    syscall\n"
        "4:  dec %r12d\n"
        "    jns 3b\n"
        "5:  mov $" TEXT(ENTRY_GATE) ", %edi\n"
        "    lea 24 + entry_code_end(%rip), %rsi\n"
        "    mov 20 + entry_code_end(%rip), %edx\n"
        "    mov $" TEXT(SYS_write) ", %eax\n"
        "    syscall\n"
        "    jmp 1b\n"
        /* It counts: as the kernel would have begun it. */
        "6:  mov $" TEXT(ENTRY_GATE) ", %edi\n"
        "    mov $" TEXT(SYS_close) ", %eax\n"
        "    syscall\n"
        "    mov %rbx, %rsp\n"
        "    xor %eax, %eax\n"
        "    xor %ebx, %ebx\n"
        "    xor %ecx, %ecx\n"
        "    xor %edx, %edx\n"
        "    xor %esi, %esi\n"
        "    xor %edi, %edi\n"
        "    xor %ebp, %ebp\n"
        "    xor %r8d, %r8d\n"
        "    xor %r9d, %r9d\n"
        "    xor %r10d, %r10d\n"
        "    xor %r11d, %r11d\n"
        "    xor %r12d, %r12d\n"
        "    xor %r13d, %r13d\n"
        "    xor %r14d, %r14d\n"
        "    xor %r15d, %r15d\n"
        "    jmp *entry_code_end(%rip)\n"
        /* Reads r14 bytes to the buffer. */
        "7:  lea 8(%rsp), %r15\n"
        "    mov %r14d, %r13d\n"
        "2:  mov $" TEXT(ENTRY_GATE) ", %edi\n"
        "    mov %r15, %rsi\n"
        "    mov %r13d, %edx\n"
        "    mov $" TEXT(SYS_read) ", %eax\n"
        "    syscall\n"
        "    cmp $-" TEXT(EINTR) ", %eax\n"
        "    je 2b\n"
        "    test %eax, %eax\n"
        "    jle 9f\n"
        "    add %rax, %r15\n"
        "    sub %eax, %r13d\n"
        "    jnz 2b\n"
        "    ret\n"
        "0:  .asciz \"/\"\n"
        "8:  .asciz \"/dev/null\"\n"
        "9:  mov $127, %edi\n"
        "    mov $" TEXT(SYS_exit_group) ", %eax\n"
        "    syscall\n"
        ".balign 8\n"
        "entry_code_end:\n"
        ".popsection\n");

static int trace_error(void)
{
    return errno == EIO || errno == EFAULT || errno == EPERM ? -EACCES : -errno;
}

/* A system call by the stopped process; the instruction takes the place of its next one. */
static long remote_call(pid_t pid, const struct user_regs_struct *regs, long nr,
                        const unsigned long arg[6], int *error)
{
    struct user_regs_struct call = *regs;
    unsigned long word;
    int status;

    errno = 0;
    word = (unsigned long)ptrace(PTRACE_PEEKTEXT, pid, regs->rip, 0);
    call.rax = (unsigned long)nr;
    call.orig_rax = ~0UL;
    call.rdi = arg[0];
    call.rsi = arg[1];
    call.rdx = arg[2];
    call.r10 = arg[3];
    call.r8 = arg[4];
    call.r9 = arg[5];
    *error = 0;
    if (errno != 0 ||
        ptrace(PTRACE_POKETEXT, pid, regs->rip, (word & ~0xffffUL) | SYSCALL_BYTES) < 0 ||
        ptrace(PTRACE_SETREGS, pid, 0, &call) < 0 || ptrace(PTRACE_SINGLESTEP, pid, 0, 0) < 0)
        *error = trace_error();
    else if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status) ||
             WSTOPSIG(status) != SIGTRAP || ptrace(PTRACE_GETREGS, pid, 0, &call) < 0 ||
             ptrace(PTRACE_POKETEXT, pid, regs->rip, word) < 0)
        *error = -EIO;
    else if ((long)call.rax < 0 && (long)call.rax >= -4095)
        *error = (int)(long)call.rax;
    return (long)call.rax;
}

static int data_fill(struct entry_data *data, uint64_t start, const char *cwd)
{
    struct frame_header header = { .kind = K_EVENT, .proc = P_GATE_REACHED };
    uint8_t *frame;
    size_t len;
    int error = frame_build(&header, NULL, NULL, &frame, &len);

    if (error)
        return error;
    *data = (struct entry_data){ .start = start, .gate_proc = htonl(P_GATE),
                                 .settle = htonl(GATE_SETTLE), .remote = htonl(GATE_REMOTE),
                                 .reached_len = (uint32_t)len };
    if (len > sizeof(data->reached) || strlen(cwd) >= sizeof(data->cwd))
        error = -ENAMETOOLONG;
    else {
        memcpy(data->reached, frame, len);
        memcpy(data->cwd, cwd, strlen(cwd) + 1);
    }
    free(frame);
    return error;
}

/* The page, written and made executable: its address, or -errno. */
static long page_make(pid_t pid, const struct user_regs_struct *regs, const char *cwd)
{
    size_t code = (size_t)(entry_code_end - entry_code), size = code + sizeof(struct entry_data);
    const unsigned long want[6] = { 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                                    ~0UL, 0 };
    struct entry_data *data = malloc(sizeof(*data));
    int error = data ? data_fill(data, regs->rip, cwd) : -ENOMEM;
    long page = error ? 0 : remote_call(pid, regs, SYS_mmap, want, &error);
    const unsigned long protect[6] = { (unsigned long)page, size, PROT_READ | PROT_EXEC };
    struct iovec near[2] = { { (void *)(uintptr_t)entry_code, code }, { data, sizeof(*data) } };
    struct iovec far = { (void *)page, size };

    if (!error && process_vm_writev(pid, near, 2, &far, 1, 0) != (ssize_t)size)
        error = trace_error();
    if (!error)
        remote_call(pid, regs, SYS_mprotect, protect, &error);
    free(data);
    return error ? error : page;
}

int entry_hold(pid_t pid, const char *cwd)
{
    struct user_regs_struct regs;
    long page;

    if (ptrace(PTRACE_GETREGS, pid, 0, &regs) < 0)
        return trace_error();
    if (regs.cs != CODE_64)
        return -ENOEXEC;
    page = page_make(pid, &regs, cwd ? cwd : "/");
    if (page < 0)
        return (int)page;
    regs.rip = (unsigned long)page;
    regs.orig_rax = ~0UL;
    if (ptrace(PTRACE_SETREGS, pid, 0, &regs) < 0 || ptrace(PTRACE_DETACH, pid, 0, 0) < 0)
        return trace_error();
    return 0;
}

#else

int entry_hold(pid_t pid, const char *cwd)
{
    (void)pid;
    (void)cwd;
    return -ENOSYS;
}

#endif
