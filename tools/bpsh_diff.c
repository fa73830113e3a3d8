/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/bpsh_diff.h"
#include "tools/tool.h"

#define DIFF_FAILED 2           /* exit status of diff(1): 1 is "they differ" */

/* A file in memory that a child inherits; -errno. */
static int text_file(const struct output_text *text)
{
    int fd = memfd_create("bpsh-diff", 0);

    for (size_t done = 0; fd >= 0 && done < text->len;) {
        ssize_t n = write(fd, text->bytes + done, text->len - done);

        if (n < 0) {
            int error = -errno;

            close(fd);
            return error;
        }
        done += (size_t)n;
    }
    return fd < 0 ? -errno : fd;
}

__attribute__((noreturn))
static void child_run(char *titles[2], const int fds[2])
{
    char paths[2][32];
    sigset_t none;

    for (int i = 0; i < 2; i++)
        snprintf(paths[i], sizeof(paths[i]), "/proc/self/fd/%d", fds[i]);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    execlp("diff", "diff", "-ua", tool_color_wanted(1) ? "--color=always" : "--color=never",
           "--label", titles[0], "--label", titles[1], paths[0], paths[1], (char *)NULL);
    _exit(DIFF_FAILED);
}

static int child_wait(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) && WEXITSTATUS(status) < DIFF_FAILED ? 0 : -EIO;
}

static int pair_print(const struct group *common, const struct group *other)
{
    const struct group *groups[2] = { common, other };
    char *titles[2] = { NULL, NULL };
    int fds[2] = { -1, -1 };
    int error = 0;

    for (int i = 0; i < 2; i++) {
        titles[i] = collect_title(groups[i]);
        fds[i] = text_file(groups[i]->text);
        if (!titles[i] || fds[i] < 0)
            error = titles[i] ? fds[i] : -ENOMEM;
    }
    if (!error) {
        pid_t pid = fork();

        if (pid == 0)
            child_run(titles, fds);
        error = pid < 0 ? -errno : child_wait(pid);
    }
    for (int i = 0; i < 2; i++) {
        free(titles[i]);
        if (fds[i] >= 0)
            close(fds[i]);
    }
    return error;
}

int diff_print(const struct collection *collection)
{
    int error = 0;

    for (size_t i = 1; i < collection->count && !error; i++)
        error = pair_print(&collection->groups[0], &collection->groups[i]);
    return error;
}
