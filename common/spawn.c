/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "common/daemon.h"
#include "common/spawn.h"

__attribute__((noreturn))
static void child_run(char *const argv[], int out_fd, int three)
{
    int null = open("/dev/null", O_RDWR);

    setpgid(0, 0);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0)
        _exit(255);
    if (out_fd >= 0 && (dup2(out_fd, STDOUT_FILENO) < 0 || dup2(out_fd, STDERR_FILENO) < 0))
        _exit(255);
    if (out_fd < 0 && daemon_helper_output() < 0)
        _exit(255);
    /* dup2() onto itself would leave it close-on-exec. */
    if (three == 3)
        fcntl(3, F_SETFD, 0);
    else if (three >= 0 && dup2(three, 3) < 0)
        _exit(255);
    close_range(three >= 0 ? 4 : 3, ~0U, 0);
    daemon_signals();
    signal(SIGPIPE, SIG_DFL);
    execv(argv[0], argv);
    _exit(errno == ENOENT ? 127 : 255);
}

pid_t spawn(char *const argv[], int out_fd, int three)
{
    sigset_t all, old;
    pid_t pid;
    int error;

    /* No handler of ours may run in the child: it would write to the loop's wake-up socket. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &old);
    pid = fork();
    error = errno;
    if (pid == 0)
        child_run(argv, out_fd, three);
    /* Here too: whoever ends the group at once must find it, even if the child has yet to run. */
    if (pid > 0)
        setpgid(pid, pid);
    sigprocmask(SIG_SETMASK, &old, NULL);
    return pid < 0 ? -error : pid;
}
