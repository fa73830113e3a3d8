/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/criuprobe.h"

#define PATIENCE_MS 10000
#define SYSTEM_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

extern char **environ;

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What a program says until it ends; -ETIMEDOUT when it does not. */
static int output_read(int fd, char *text, size_t len)
{
    struct pollfd polled = { .fd = fd, .events = POLLIN };
    int64_t end = now_ms() + PATIENCE_MS;
    char rest[256];
    size_t got = 0;

    for (;;) {
        int64_t left = end - now_ms();
        ssize_t n;

        if (left <= 0)
            return -ETIMEDOUT;
        if (poll(&polled, 1, (int)left) <= 0)
            continue;
        n = got < len - 1 ? read(fd, text + got, len - 1 - got) : read(fd, rest, sizeof(rest));
        if (n <= 0)
            break;
        if (got < len - 1)
            got += (size_t)n;
    }
    text[got] = '\0';
    return 0;
}

/* As a process group of its own. */
static int program_spawn(char *const *argv, int out, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    int error;

    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
    error = posix_spawn(pid, argv[0], &actions, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return -error;
}

/* Exit status, or -errno. */
static int program_run(char *const *argv, char *text, size_t len)
{
    int ends[2], status, error;
    pid_t pid;

    text[0] = '\0';
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    error = program_spawn(argv, ends[1], &pid);
    close(ends[1]);
    if (!error) {
        error = output_read(ends[0], text, len);
        if (error)
            kill(-pid, SIGKILL);    /* and those that it tries the kernel with */
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        if (!error)
            error = WIFEXITED(status) ? WEXITSTATUS(status) : -EIO;
    }
    close(ends[0]);
    return error;
}

static unsigned version_wanted(void)
{
    struct utsname name;
    unsigned major = 0, minor = 0;

    if (uname(&name) == 0 && sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
        (major > 6 || (major == 6 && minor >= 16)))
        return 402;
    return 400;
}

static int version_check(const char *path, char *text, size_t len)
{
    char *argv[] = { (char *)(uintptr_t)path, (char[]){ "--version" }, NULL };
    unsigned major, minor, wanted = version_wanted();
    char output[512];
    const char *at;
    int status = program_run(argv, output, sizeof(output));

    at = strstr(output, "Version: ");
    if (status != 0 || !at || sscanf(at, "Version: %u.%u", &major, &minor) != 2)
        snprintf(text, len, "%s: %s", path,
                 status < 0 ? strerror(-status) : "does not tell its version");
    else if (major * 100 + minor < wanted)
        snprintf(text, len, "%s: version %u.%u, this kernel needs %u.%u", path, major, minor,
                 wanted / 100, wanted % 100);
    else
        return 0;
    return -ENOSYS;
}

/* The last line of the output is the one that says what is wrong. */
static const char *last_line(char *output)
{
    size_t len = strlen(output);
    char *newline;

    while (len > 0 && output[len - 1] == '\n')
        output[--len] = '\0';
    newline = strrchr(output, '\n');
    return newline ? newline + 1 : output;
}

static int candidate_check(const char *path, char *text, size_t len)
{
    char *argv[] = { (char *)(uintptr_t)path, (char[]){ "check" }, NULL };
    char output[4096];
    int status = version_check(path, text, len);

    if (status)
        return status;
    status = program_run(argv, output, sizeof(output));
    if (status == 0)
        return 0;
    snprintf(text, len, "%s: fails its check: %s", path,
             status < 0 ? strerror(-status) : last_line(output));
    return -ENOSYS;
}

/* The first executable criu of a search path; 1 when there is one. */
static int search(const char *folders, char *path, size_t len)
{
    while (*folders) {
        size_t n = strcspn(folders, ":");

        if (n > 0 && snprintf(path, len, "%.*s/criu", (int)n, folders) < (int)len &&
            access(path, X_OK) == 0)
            return 1;
        folders += n + (folders[n] == ':');
    }
    return 0;
}

static int candidate_take(const char *candidate, char *path, size_t path_len, char *text,
                          size_t text_len)
{
    int error = candidate_check(candidate, text, text_len);

    if (!error)
        snprintf(path, path_len, "%s", candidate);
    return error;
}

int criuprobe_find(const char *configured, char *path, size_t path_len, char *text,
                   size_t text_len)
{
    const char *folders = getenv("PATH");
    char found[PATH_MAX];

    if (configured && *configured)
        return candidate_take(configured, path, path_len, text, text_len);
    snprintf(text, text_len, "no criu is installed");
    if (access(BPROC_CRIU_PATH, X_OK) == 0 &&
        candidate_take(BPROC_CRIU_PATH, path, path_len, text, text_len) == 0)
        return 0;
    if (search(folders ? folders : "", found, sizeof(found)) ||
        search(SYSTEM_PATH, found, sizeof(found)))
        return candidate_take(found, path, path_len, text, text_len);
    return -ENOSYS;
}

int criuprobe_cache_works(void)
{
    struct statfs st;

    return statfs("/run", &st) == 0 && st.f_type == TMPFS_MAGIC;
}
