/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fault.h"
#include "migrate/criuready.h"
#include "migrate/space/group.h"
#include "migrate/space/launch.h"
#include "migrate/space/pidfork.h"
#include "migrate/space/program.h"
#include "migrate/space/rootns.h"

#define LIBRARY 5           /* our descriptor for what is loaded into CRIU */
#define LIBRARY_PATH "/proc/1/fd/5"

#define msg_decode(type, msg, out) \
    frame_decode(FRAME_XDR(type), (msg)->body, (msg)->header.body_len, out, sizeof(type))

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

/* A number serves as a process, a group or a session; each of them stops CRIU from having it. */
static int pid_in_use(pid_t pid)
{
    return kill(pid, 0) == 0 || kill(-pid, 0) == 0;
}

/* The end of the hand-off socket is what tells of a failure here. */
__attribute__((noreturn))
static void criu_child(const launch_criu_arg *arg, const struct msg *msg,
                       const struct group *group)
{
    char *argv[] = { arg->criu, (char[]){ "swrk" }, (char[]){ "3" }, NULL };
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int from[] = { null, null, STDERR_FILENO, msg->fds[0] };
    int to[] = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, READY_SOCKET };
    sigset_t none;

    group_join(group, 0);
    if (null < 0 || rootns_enter() < 0 || pidfork_place(from, to, 4) < 0)
        _exit(127);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setenv("LD_PRELOAD", LIBRARY_PATH, 1);
    setenv(READY_ENV, READY_WORKER, 1);
    execv(arg->criu, argv);
    _exit(127);
}

static int criu_start(const struct msg *msg, pid_t fallback, pid_t *worker)
{
    launch_criu_arg arg;
    struct group group;
    int error = msg_decode(launch_criu_arg, msg, &arg);

    if (error)
        return error;
    error = msg->header.nfds != 1 ? -EPROTO : pid_in_use(arg.who.pid) ? -EEXIST : 0;
    if (error)
        goto out;
    /* CRIU itself makes a process the leader of its group. */
    group = group_prepare(arg.who.pgid == arg.who.pid ? fallback : arg.who.pgid, -1, fallback);
    *worker = pidfork(0);
    if (*worker == 0)
        criu_child(&arg, msg, &group);
    if (*worker > 0)
        group_join(&group, *worker);
    group_release(&group);
    error = *worker < 0 ? *worker : 0;
out:
    frame_free(FRAME_XDR(launch_criu_arg), &arg, sizeof(arg));
    return error;
}

int launch_start(const struct msg *msg, pid_t group, struct launch *launch)
{
    int error = launch_parse(msg, launch);

    if (!error)
        error = FAULT(FAULT_SPACE_LAUNCH);
    if (error)
        return error;
    launch->session = getsid(0);
    error = msg->header.proc == P_LAUNCH_EXEC ? program_start(msg, group)
                                              : criu_start(msg, group, &launch->worker);
    FAULT(FAULT_SPACE_FORKED);
    return error;
}
