/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/fault.h"
#include "migrate/criuready.h"
#include "migrate/space/launch.h"
#include "migrate/space/program.h"
#include "proto/rawcall.h"

#define LIBRARY 5           /* our descriptor for what is loaded into CRIU (program.c) */
#define PAPER 0             /* index of the errand's descriptor */
#define PAPER_BYTES 65536   /* that it keeps */

int launch_init(void)
{
    int fd = open(READY_LIBRARY, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    if (fd != LIBRARY && dup3(fd, LIBRARY, O_CLOEXEC) < 0)
        return -errno;
    if (fd != LIBRARY)
        close(fd);
    return 0;
}

int launch_parse(const struct msg *msg, struct launch *launch)
{
    launch_who who;
    int error = frame_decode_head(FRAME_XDR(launch_who), msg->body, msg->header.body_len, &who,
                                  sizeof(who));

    memset(launch, 0, sizeof(*launch));
    if (error)
        return error;
    launch->pid = who.pid;
    launch->ppid = who.ppid;
    launch->puid = who.puid;
    launch->pgid = who.pgid;
    launch->sid = who.sid;
    return launch->pid > 1 ? 0 : -EPROTO;
}

/* ---- init writes ---- */

static struct flat flat;
static int paper = -1;

static int paper_write(void)
{
    ssize_t n;

    if (paper < 0)
        paper = memfd_create("launch", MFD_CLOEXEC);
    n = paper < 0 ? -1 : pwrite(paper, flat.bytes, flat.len, 0);
    if (n < 0)
        return -errno;
    return (size_t)n == flat.len ? 0 : -ENOMEM;
}

static void fds_list(const struct msg *msg, struct launch *launch)
{
    unsigned first = msg->header.proc == P_LAUNCH_EXEC ? PROGRAM_STATUS : PROGRAM_SPEC;

    launch->fds[PAPER] = paper;
    launch->nfds = PAPER + 1;
    for (unsigned i = first; i < msg->header.nfds; i++)
        launch->fds[launch->nfds++] = msg->fds[i];
}

int launch_write(const struct msg *msg, struct launch *launch)
{
    int error = program_read(msg, &flat);

    if (!error)
        error = paper_write();
    launch->errand = (struct errand){ .kind = ERRAND_LAUNCH, .puid = launch->puid,
                                      .beside = room_is_safe(), .len = flat.len };
    fds_list(msg, launch);
    return error;
}

static void paper_drop(void)
{
    if (paper >= 0)
        close(paper);
    paper = -1;
}

void launch_forget(void)
{
    if (flat.len > PAPER_BYTES)
        paper_drop();
    flat_tidy(&flat);
}

/* Who has it finds nothing there, and none of what is written next. */
void launch_revoke(void)
{
    if (paper >= 0)
        (void)!ftruncate(paper, 0);
    paper_drop();
}

/* ---- who launches reads: no heap, no errno ---- */

/* A number serves as a process, a group or a session; each of them stops CRIU from having it. */
static bool pid_in_use(pid_t pid)
{
    return RAW2(SYS_kill, pid, 0) == 0 || RAW2(SYS_kill, -pid, 0) == 0;
}

static struct room *room_read(const struct errand *errand, int from)
{
    struct room *room = room_take(errand->len);

    if (!room)
        return NULL;
    if (RAW4(SYS_pread64, from, room_bytes(room), errand->len, 0) == (long)errand->len)
        return room;
    room_leave(room);
    return NULL;
}

static pid_t program_fork(struct program *program, struct room *room, bool beside, pid_t fallback)
{
    const launch_who *who = &program->arg.who;
    bool is_worker = program->is_worker;
    bool leads = who->sid == who->pid && !is_worker;
    struct group group;
    pid_t pid;

    if (is_worker && pid_in_use(who->pid)) {
        room_leave(room);
        return -EEXIST;
    }
    program->parent = (pid_t)RAW0(SYS_getpid);
    /* CRIU itself makes a process the leader of its group. */
    group = group_prepare(is_worker && who->pgid == who->pid ? fallback : who->pgid,
                          is_worker ? -1 : who->pid, fallback);
    program->group = group;
    pid = room_start(room, is_worker ? 0 : who->pid, ROOM_CHILD, beside, program_run);
    if (pid > 0 && !leads)
        group_join(&group, pid);
    group_release(&group);
    return pid;
}

int launch_start(const struct errand *errand, int *fds, unsigned nfds, pid_t group,
                 struct report *report, struct room **room)
{
    struct program *program;
    int error = FAULT(FAULT_SPACE_LAUNCH);
    bool is_worker;
    pid_t pid;

    if (error)
        return error;
    *room = room_read(errand, fds[PAPER]);
    if (!*room)
        return -ENOMEM;
    program = flat_settle(room_bytes(*room));
    memcpy(program->fds, fds, nfds * sizeof(*fds));
    program->nfds = nfds;
    is_worker = program->is_worker;
    report->session = (pid_t)RAW1(SYS_getsid, 0);
    pid = program_fork(program, *room, errand->beside, group);
    report->pid = pid;
    report->worker = is_worker && pid > 0 ? pid : 0;
    FAULT(FAULT_SPACE_FORKED);
    return pid < 0 ? pid : 0;
}
