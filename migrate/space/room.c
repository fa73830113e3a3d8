/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "common/fault.h"
#include "migrate/space/pidfork.h"
#include "migrate/space/room.h"
#include "proto/rawcall.h"

#define ROOM_BYTES 65536
#define STACK_BYTES 32768

struct room {
    int taken;                  /* the kernel clears it */
    pid_t holder;               /* who forks here, until he lets go; a futex */
    bool shared;
    struct room *next;
    void *beyond;               /* bytes for which the room is too small; NULL */
    size_t beyond_len;
    char bytes[] __attribute__((aligned(16)));
};

#define HELD_BYTES (ROOM_BYTES - STACK_BYTES - sizeof(struct room))

static struct room *rooms;      /* all of this memory */
static int beyonds;             /* how many have more */

#ifdef ROOM_SHARES

static bool others_are_spared;
static int dumpable = -1;       /* fs.suid_dumpable */
static bool is_safe;            /* when we looked last */

void room_init(void)
{
    struct utsname name;
    int major = 0, minor = 0;

    others_are_spared = FAULT(FAULT_LACK_SPARING) == 0 && uname(&name) == 0 &&
                        sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
                        (major > 5 || (major == 5 && minor >= 16));
    dumpable = open("/proc/sys/fs/suid_dumpable", O_RDONLY | O_CLOEXEC);
}

void room_look(void)
{
    char mode;

    is_safe = others_are_spared && pread(dumpable, &mode, 1, 0) == 1 && mode != '1';
}

bool room_is_safe(void)
{
    return is_safe;
}

/* The child takes from its stack what to call, and with what. */
static long clone_call(struct clone_args *args)
{
    long result;

    __asm__ volatile("syscall\n"
                     "    test %%rax, %%rax\n"
                     "    jnz 1f\n"
                     "    xor %%ebp, %%ebp\n"
                     "    pop %%rax\n"
                     "    pop %%rdi\n"
                     "    call *%%rax\n"
                     "    ud2\n"
                     "1:\n"
                     : "=a"(result)
                     : "a"(SYS_clone3), "D"(args), "S"(sizeof(*args))
                     : "rcx", "r11", "memory");
    return result;
}

static pid_t room_clone(struct room *room, pid_t want, enum room_child child, room_fn *run)
{
    struct clone_args args = { .flags = (room->shared ? CLONE_VM | CLONE_CHILD_CLEARTID : 0) |
                                        (child == ROOM_SIBLING ? CLONE_PARENT : 0),
                               .exit_signal = child == ROOM_CHILD ? SIGCHLD : 0,
                               .child_tid = (uint64_t)(uintptr_t)&room->taken };
    void **top = (void **)(void *)((char *)room + ROOM_BYTES) - 2;

    top[0] = (void *)(uintptr_t)run;
    top[1] = room;
    args.stack = (uint64_t)(uintptr_t)room + ROOM_BYTES - STACK_BYTES;
    args.stack_size = STACK_BYTES - 2 * sizeof(*top);
    return pidfork_clone(&args, want, clone_call);
}

#else

void room_init(void)
{
}

void room_look(void)
{
}

bool room_is_safe(void)
{
    return false;
}

static pid_t room_clone(struct room *room, pid_t want, enum room_child child, room_fn *run)
{
    pid_t pid = child == ROOM_SIBLING ? pidfork_sibling(want) : pidfork(want);

    if (pid == 0)
        run(room);
    return pid;
}

#endif

static bool room_claim(struct room *room)
{
    int free = 0;

    return __atomic_compare_exchange_n(&room->taken, &free, 1, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

void room_leave(struct room *room)
{
    __atomic_store_n(&room->taken, 0, __ATOMIC_RELEASE);
}

static void *pages_map(size_t len)
{
    long at = raw_call(SYS_mmap, 0, (long)len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                       -1, 0);

    return at < 0 && at > -4096 ? NULL : (void *)at;
}

static struct room *room_make(void)
{
    struct room *room = pages_map(ROOM_BYTES);

    if (!room)
        return NULL;
    room->taken = 1;
    room->next = __atomic_load_n(&rooms, __ATOMIC_ACQUIRE);
    while (!__atomic_compare_exchange_n(&rooms, &room->next, room, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
        ;
    return room;
}

/* Of a room that we have. */
static void beyond_free(struct room *room)
{
    if (!room->beyond)
        return;
    RAW2(SYS_munmap, room->beyond, room->beyond_len);
    room->beyond = NULL;
    __atomic_sub_fetch(&beyonds, 1, __ATOMIC_RELAXED);
}

static bool room_fit(struct room *room, size_t len)
{
    beyond_free(room);
    if (len <= HELD_BYTES)
        return true;
    room->beyond = pages_map(len);
    room->beyond_len = len;
    if (room->beyond)
        __atomic_add_fetch(&beyonds, 1, __ATOMIC_RELAXED);
    return room->beyond != NULL;
}

struct room *room_take(size_t len)
{
    struct room *room = __atomic_load_n(&rooms, __ATOMIC_ACQUIRE);

    while (room && !room_claim(room))
        room = room->next;
    if (!room)
        room = room_make();
    if (!room)
        return NULL;
    __atomic_store_n(&room->holder, (pid_t)RAW0(SYS_getpid), __ATOMIC_RELEASE);
    if (room_fit(room, len))
        return room;
    room_leave(room);
    return NULL;
}

void *room_bytes(struct room *room)
{
    return room->beyond ? room->beyond : room->bytes;
}

pid_t room_start(struct room *room, pid_t want, enum room_child child, bool beside, room_fn *run)
{
    pid_t pid;

    room->shared = beside && getpid() != 1;
    pid = room_clone(room, want, child, run);
    if (pid < 0 || !room->shared)
        room_leave(room);
    return pid;
}

/* Another one may have the room by now, if who was here has been killed: his waits for him. */
void room_release(struct room *room)
{
    pid_t self = (pid_t)RAW0(SYS_getpid);

    if (__atomic_compare_exchange_n(&room->holder, &self, 0, false, __ATOMIC_RELEASE,
                                    __ATOMIC_RELAXED))
        RAW4(SYS_futex, &room->holder, FUTEX_WAKE_PRIVATE, 1, NULL);
}

void room_wait(struct room *room, pid_t parent)
{
    const struct timespec moment = { .tv_nsec = 10000000 };

    while (room->shared && RAW0(SYS_getppid) == parent &&
           __atomic_load_n(&room->holder, __ATOMIC_ACQUIRE) == parent)
        RAW4(SYS_futex, &room->holder, FUTEX_WAIT_PRIVATE, parent, &moment);
}

void rooms_tidy(void)
{
    struct room *room = __atomic_load_n(&rooms, __ATOMIC_ACQUIRE);

    if (__atomic_load_n(&beyonds, __ATOMIC_RELAXED) == 0)
        return;
    for (; room; room = room->next)
        if (room->beyond && room_claim(room)) {
            beyond_free(room);
            room_leave(room);
        }
}
