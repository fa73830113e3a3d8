/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Between twin_clone() and the verdict nothing here may use memory but the stack, the thread's own
 * and the table: no malloc, no stdio. That is also why all calls are syscall(), which the dynamic
 * linker has found by then.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/userfaultfd.h>

#include "libbproc/depart.h"
#include "libbproc/holder.h"
#include "libbproc/pieces.h"
#include "libbproc/twin.h"
#include "proto/frame.h"

#define WORTH_IT (1UL << 20)
#define MOVE_UNIT (2UL << 20)           /* a page table; moved whole when both ends agree in it */
#define VERDICT_AT FRAME_PREFIX         /* the first word of a gate_msg */
#define NODE_AT (VERDICT_AT + 4)        /* the second */
#define GATE_BYTES 256                  /* of a gate_msg without children */
#define HOLDER_STACK 4096

struct twin {
    uintptr_t reserve;                  /* room for what is out of the way */
    size_t reserved;
    struct pieces pieces;
    page_region regions[BPROC_MAX_REGIONS];
    char stack[HOLDER_STACK] __attribute__((aligned(16)));
    uint8_t frame[FRAME_PREFIX + 64 + BPROC_MAX_REGIONS * sizeof(page_region)];
};

/* ---- the fork ---- */

static int room_reserve(struct twin *twin)
{
    void *room;

    twin->reserved = twin->pieces.total + (twin->pieces.count + 1) * MOVE_UNIT;
    room = mmap(NULL, twin->reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                0);
    if (room == MAP_FAILED)
        return -errno;
    twin->reserve = (uintptr_t)room;
    return 0;
}

static void pieces_away(struct twin *twin)
{
    uintptr_t at = twin->reserve;

    for (unsigned i = 0; i < twin->pieces.count; i++) {
        struct piece *piece = &twin->pieces.list[i];
        uintptr_t to = at + ((piece->start - at) & (MOVE_UNIT - 1));

        if (syscall(SYS_mremap, piece->start, piece->size, piece->size,
                    MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to) != (long)to)
            continue;
        piece->away = to;
        at = to + piece->size;
        syscall(SYS_madvise, to, piece->size, MADV_DONTFORK);
    }
}

static int pieces_back(struct twin *twin)
{
    for (unsigned i = 0; i < twin->pieces.count; i++) {
        struct piece *piece = &twin->pieces.list[i];

        if (!piece->away)
            continue;
        if (syscall(SYS_mremap, piece->away, piece->size, piece->size,
                    MREMAP_MAYMOVE | MREMAP_FIXED, piece->start) != (long)piece->start)
            return -1;
        syscall(SYS_madvise, piece->start, piece->size, MADV_DOFORK);
    }
    return 0;
}

/* As fork(2) in libc, which tells the kernel two addresses that a child does not inherit. */
static long twin_clone(struct twin *twin)
{
    int *number = NULL;
    void *robust = NULL;
    size_t robust_len = 0;
    long pid, flags;

    syscall(SYS_prctl, PR_GET_TID_ADDRESS, &number, 0, 0, 0);
    syscall(SYS_get_robust_list, 0, &robust, &robust_len);
    flags = number ? CLONE_CHILD_CLEARTID : 0;
    pieces_away(twin);
    pid = syscall(SYS_clone, flags, 0, NULL, number, NULL);
    if (pid == 0) {
        syscall(SYS_set_robust_list, robust, robust_len);
        syscall(SYS_munmap, twin->reserve, twin->reserved);
    } else if (pieces_back(twin) < 0) {
        /* Half of it is not where it belongs. */
        syscall(SYS_kill, pid, SIGKILL);
        syscall(SYS_exit_group, CHILD_GAVE_UP);
    }
    return pid;
}

/* ---- the process ---- */

static int twin_tell(struct twin *twin, int pid, int holder, int gate)
{
    struct frame_header header = { .kind = K_EVENT, .proc = P_GATE_REACHED };
    twin_msg msg = { .pid = pid, .holder = holder, .regions = { 0, twin->regions } };
    size_t sent = 0, len;
    XDR xdrs;

    for (unsigned i = 0; i < twin->pieces.count; i++)
        if (twin->pieces.list[i].away)
            twin->regions[msg.regions.regions_len++] =
                (page_region){ twin->pieces.list[i].start, twin->pieces.list[i].size };
    xdrmem_create(&xdrs, (char *)twin->frame + FRAME_PREFIX,
                  (u_int)(sizeof(twin->frame) - FRAME_PREFIX), XDR_ENCODE);
    if (!xdr_twin_msg(&xdrs, &msg))
        return -EMSGSIZE;
    header.body_len = xdr_getpos(&xdrs);
    frame_format_header(&header, twin->frame);
    for (len = FRAME_PREFIX + header.body_len; sent < len;) {
        long n = syscall(SYS_sendto, gate, twin->frame + sent, len - sent, MSG_NOSIGNAL, NULL, 0);

        if (n < 0 && errno != EINTR)
            return -errno;
        sent += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static void child_end(long pid)
{
    syscall(SYS_kill, pid, SIGKILL);
    while (syscall(SYS_wait4, pid, NULL, __WALL, NULL) < 0 && errno == EINTR)
        continue;
}

/* Until there is a verdict, or the gate's end; whether it is to be a ghost of that node. */
static int process_wait(int gate, int *node)
{
    uint8_t bytes[NODE_AT + 4];
    struct frame_header header;
    uint32_t word;
    long n;

    do
        n = syscall(SYS_recvfrom, gate, bytes, sizeof(bytes), MSG_PEEK, NULL, NULL);
    while (n < 0 && errno == EINTR);
    if (n != (long)sizeof(bytes) || frame_parse_header(bytes, &header) < 0 ||
        header.proc != P_GATE || bytes[VERDICT_AT + 3] != GATE_GHOST)
        return 0;
    __builtin_memcpy(&word, bytes + NODE_AT, sizeof(word));
    *node = (int)ntohl(word);
    return 1;
}

/* Nobody may read what was peeked at a second time. */
static void verdict_drop(int gate)
{
    uint8_t bytes[FRAME_PREFIX + GATE_BYTES];
    struct frame_header header;

    if (syscall(SYS_recvfrom, gate, bytes, FRAME_PREFIX, 0, NULL, NULL) == FRAME_PREFIX &&
        frame_parse_header(bytes, &header) == 0 && header.body_len <= GATE_BYTES)
        syscall(SYS_recvfrom, gate, bytes, header.body_len, 0, NULL, NULL);
}

static twin_fate process_run(struct twin *twin, long pid, int gate, int lazy, int *node)
{
    long holder = lazy ? holder_make(twin->stack, sizeof(twin->stack)) : 0;
    int is_ghost = twin_tell(twin, (int)pid, holder > 0 ? (int)holder : 0, gate) == 0 &&
                   process_wait(gate, node);

    child_end(pid);
    if (holder > 0 && !is_ghost)
        child_end(holder);
    if (holder <= 0 || !is_ghost)
        return TWIN_VERDICT;
    verdict_drop(gate);
    return TWIN_GHOST;
}

/* ---- the twin ---- */

/* A descriptor of its own memory, made by `device` if there is one; else of less use, or -errno. */
static int memory_open(int device)
{
    long fd;

    if (device >= 0)
        fd = syscall(SYS_ioctl, device, USERFAULTFD_IOC_NEW, O_CLOEXEC | O_NONBLOCK);
    else
        fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
    return fd < 0 ? -errno : (int)fd;
}

static void memory_answer(int gate, int fd)
{
    struct frame_header header = { .kind = K_EVENT, .proc = P_GATE_REACHED,
                                   .status = fd < 0 ? -fd : 0, .nfds = fd >= 0 };
    union { char space[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control;
    uint8_t frame[FRAME_PREFIX];
    struct iovec iov = { frame, sizeof(frame) };
    struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };

    frame_format_header(&header, frame);
    if (fd >= 0) {
        mh.msg_control = control.space;
        mh.msg_controllen = sizeof(control.space);
        control.align.cmsg_level = SOL_SOCKET;
        control.align.cmsg_type = SCM_RIGHTS;
        control.align.cmsg_len = CMSG_LEN(sizeof(int));
        *(int *)(void *)CMSG_DATA(&control.align) = fd;
    }
    while (syscall(SYS_sendmsg, gate, &mh, MSG_NOSIGNAL) < 0 && errno == EINTR)
        continue;
}

/* Takes the message in, with its device. -1: it has none. */
static int memory_ask_take(int gate, size_t len)
{
    union { char space[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control;
    uint8_t bytes[GATE_BYTES];
    struct iovec iov = { bytes, len };
    struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space,
                         .msg_controllen = sizeof(control.space) };

    if (len > sizeof(bytes) || syscall(SYS_recvmsg, gate, &mh, MSG_CMSG_CLOEXEC) != (long)len)
        syscall(SYS_exit_group, CHILD_GAVE_UP);
    return mh.msg_controllen >= CMSG_LEN(sizeof(int)) &&
                   control.align.cmsg_type == SCM_RIGHTS
               ? *(int *)(void *)CMSG_DATA(&control.align) : -1;
}

static void memory_hand_out(int gate, size_t len)
{
    int device = memory_ask_take(gate, len);
    int fd = memory_open(device);

    memory_answer(gate, fd);
    if (fd >= 0)
        syscall(SYS_close, fd);
    if (device >= 0)
        syscall(SYS_close, device);
}

/* Returns where it was restored only, when its memory is there. */
static void twin_wait(int gate)
{
    uint8_t bytes[VERDICT_AT + 4];
    struct frame_header header;
    int handed_out = 0;

    for (;;) {
        long n = syscall(SYS_recvfrom, gate, bytes, sizeof(bytes), MSG_PEEK, NULL, NULL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n != (long)sizeof(bytes) || frame_parse_header(bytes, &header) < 0 ||
            header.proc != P_GATE)
            break;
        if (bytes[VERDICT_AT + 3] == GATE_MEMORY)
            memory_hand_out(gate, FRAME_PREFIX + header.body_len);
        else if (handed_out)
            return;
        else
            break;
        handed_out = 1;
    }
    syscall(SYS_exit_group, CHILD_GAVE_UP);
}

twin_fate twin_part(int gate, int lazy, int *node)
{
    struct twin *twin = mmap(NULL, sizeof(*twin), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    twin_fate fate = TWIN_NONE;
    long pid = -1;

    if (twin == MAP_FAILED)
        return fate;
    /* What its owner may not read is not read for him, but with all of the rest of it. */
    if (syscall(SYS_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0) == 1)
        pieces_find(&twin->pieces, twin, sizeof(*twin));
    if (twin->pieces.total >= WORTH_IT && room_reserve(twin) == 0) {
        pid = twin_clone(twin);
        if (pid > 0)
            fate = process_run(twin, pid, gate, lazy, node);
        else if (pid == 0)
            twin_wait(gate);
        if (pid == 0)
            fate = TWIN_VERDICT;
        else
            munmap((void *)twin->reserve, twin->reserved);
    }
    /* The holder stands on it. */
    if (fate != TWIN_GHOST)
        munmap(twin, sizeof(*twin));
    return fate;
}
