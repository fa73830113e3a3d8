/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rooms of several who fork in one memory. They use raw calls only, as is the rule there. */
#include "config.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "migrate/space/room.h"
#include "proto/rawcall.h"
#include "tests/unit/tap.h"

#ifdef ROOM_SHARES

static struct room *left;           /* by one who ended before he could go on */
static int wanted, started, same_room, may_go, went;

static void leave(void)
{
    RAW1(SYS_exit_group, 0);
}

static void await(const int *flag)
{
    const struct timespec moment = { .tv_nsec = 1000000 };

    for (int i = 0; i < 5000 && !__atomic_load_n(flag, __ATOMIC_ACQUIRE); i++)
        RAW2(SYS_nanosleep, &moment, NULL);
}

static void set(int *flag)
{
    __atomic_store_n(flag, 1, __ATOMIC_RELEASE);
}

static void quick_run(struct room *room)
{
    (void)room;
    leave();
}

static void waiting_run(struct room *room)
{
    room_wait(room, (pid_t)RAW0(SYS_getppid));
    set(&went);
    leave();
}

/* Another one who forks. */
static void forker_run(struct room *unused)
{
    struct room *room;
    pid_t pid;

    (void)unused;
    await(&wanted);
    room = room_take(1);
    same_room = room == left;
    pid = room_start(room, 0, ROOM_CHILD, true, waiting_run);
    set(&started);
    await(&may_go);
    room_release(room);
    RAW4(SYS_wait4, pid, NULL, 0, NULL);
    leave();
}

int main(void)
{
    struct room *room = room_take(1);
    pid_t forker = room_start(room, 0, ROOM_CHILD, true, forker_run), quick;

    left = room_take(1);
    quick = room_start(left, 0, ROOM_CHILD, true, quick_run);
    ok(quick > 0 && waitpid(quick, NULL, 0) == quick, "one ends before it is to go on");
    set(&wanted);
    await(&started);
    ok(same_room, "another one who forks gets its room");
    room_release(left);
    usleep(100000);
    ok(!__atomic_load_n(&went, __ATOMIC_ACQUIRE), "and the first lets go nobody but his own");
    set(&may_go);
    ok(waitpid(forker, NULL, 0) == forker && went, "who waits goes on when the other one says so");
    return done_testing();
}

#else

int main(void)
{
    skip_all("nobody shares memory in this build");
    return 0;
}

#endif
