/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-ready ROUNDS LABEL COMMAND...
 *
 * How long a daemon takes from its start to its word to the service manager that it is ready. It is
 * ended and waited for before the next round. It has no outputs: helpers of its own may outlive it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/stopwatch.h"

#define PATIENCE_MS 20000

extern char **environ;

/* A socket without a file; its name goes into the environment as the daemon wants it. */
static int manager_open(void)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    socklen_t len = sizeof(at.sun_family);
    int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (sock < 0 || bind(sock, (struct sockaddr *)&at, len) < 0)
        stopwatch_die("make", "a socket");
    len = sizeof(at);
    if (getsockname(sock, (struct sockaddr *)&at, &len) < 0)
        stopwatch_die("name", "a socket");
    at.sun_path[0] = '@';
    setenv("NOTIFY_SOCKET", at.sun_path, 1);
    return sock;
}

static pid_t daemon_start(char **argv)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    for (int i = 0; i < 3; i++)
        posix_spawn_file_actions_addopen(&actions, i, "/dev/null", O_RDWR, 0);
    errno = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    if (errno)
        stopwatch_die("run", argv[0]);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static void ready_wait(int sock, const char *name)
{
    struct pollfd word = { .fd = sock, .events = POLLIN };
    char text[512] = "";

    while (!strstr(text, "READY=1")) {
        ssize_t len;

        if (poll(&word, 1, PATIENCE_MS) <= 0) {
            errno = ETIMEDOUT;
            stopwatch_die("wait for", name);
        }
        len = recv(sock, text, sizeof(text) - 1, 0);
        text[len > 0 ? len : 0] = '\0';
    }
}

/* What it says while it ends is not for the next one. */
static void daemon_end(int sock, pid_t pid)
{
    char text[512];

    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    while (recv(sock, text, sizeof(text), MSG_DONTWAIT) > 0)
        ;
}

int main(int argc, char **argv)
{
    int sock;

    if (argc < 4) {
        fprintf(stderr, "usage: bench-ready ROUNDS LABEL COMMAND...\n");
        return 2;
    }
    sock = manager_open();
    for (int i = 0; i < atoi(argv[1]); i++) {
        int64_t start = stopwatch_now();
        pid_t pid = daemon_start(argv + 3);

        ready_wait(sock, argv[3]);
        stopwatch_print(argv[2], start, 0);
        daemon_end(sock, pid);
    }
    return 0;
}
