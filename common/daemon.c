/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/daemon.h"
#include "common/fd.h"

static int ready_pipe = -1;
static int background;

static void parent_wait(int fd)
{
    char word;
    ssize_t n;

    do
        n = read(fd, &word, 1);
    while (n < 0 && errno == EINTR);
    _exit(n == 1 ? 0 : 1);
}

int daemon_begin(void)
{
    int ends[2], null;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    pid = fork();
    if (pid < 0)
        return -errno;
    if (pid > 0) {
        close(ends[1]);
        parent_wait(ends[0]);
    }
    close(ends[0]);
    ready_pipe = ends[1];
    background = 1;
    setsid();
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return -errno;
    dup2(null, STDIN_FILENO);
    close(null);
    return chdir("/") < 0 ? -errno : 0;
}

static int output_drop(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int error = 0;

    if (null < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
        error = -errno;
    if (null >= 0)
        close(null);
    return error;
}

int daemon_helper_output(void)
{
    return background ? output_drop() : 0;
}

void daemon_ready(void)
{
    if (ready_pipe < 0)
        return;
    output_drop();
    fd_write_all(ready_pipe, "", 1);
    fd_close(&ready_pipe);
}

int daemon_lock(const char *path)
{
    char text[16];
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
    int len, error = 0;

    if (fd < 0)
        return -errno;
    len = snprintf(text, sizeof(text), "%d\n", (int)getpid());
    if (flock(fd, LOCK_EX | LOCK_NB) < 0 || ftruncate(fd, 0) < 0)
        error = -errno;
    else
        error = fd_write_all(fd, text, (size_t)len);
    if (error)
        close(fd);
    return error;
}

void daemon_signals(void)
{
    sigset_t none;

    for (int signo = 1; signo < NSIG; signo++)
        signal(signo, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}
