/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * detach remote NODE FOLDER, detach local FOLDER: a process leaves the process space with exit code
 * 3 and lives on: it forks, writes "PID CHILD" to FOLDER/alive, and when there is FOLDER/go it says
 * so on stdout, writes FOLDER/over and ends. What its parent saw is printed: "exited 3".
 */
#include "config.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "tests/progs/prog.h"

#define PATIENCE 600

static char path[4096];

static const char *in(const char *folder, const char *name)
{
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void file_write(const char *folder, const char *name, pid_t child)
{
    FILE *file = fopen(in(folder, "new"), "w");
    char fresh[4096];

    CHECK(file, "cannot write %s: %s", path, strerror(errno));
    fprintf(file, "%d %d\n", (int)getpid(), (int)child);
    fclose(file);
    snprintf(fresh, sizeof(fresh), "%s/%s", folder, name);
    MUST(rename(path, fresh));
}

static void detached_live(const char *folder)
{
    struct stat st;
    pid_t child;

    if (bproc_detach(3) < 0) {
        printf("-1 %s\n", strerrorname_np(errno));
        fflush(stdout);
        _exit(9);
    }
    child = fork();
    MUST(child);
    if (child == 0) {
        for (int i = 0; i < PATIENCE && stat(in(folder, "go"), &st) < 0; i++)
            usleep(100000);
        _exit(0);
    }
    file_write(folder, "alive", child);
    for (int i = 0; i < PATIENCE && stat(in(folder, "go"), &st) < 0; i++)
        usleep(100000);
    waitpid(child, NULL, 0);
    puts("still here");
    fflush(stdout);
    file_write(folder, "over", child);
    _exit(0);
}

static void parent_wait(pid_t pid)
{
    int status;

    CHECK(waitpid(pid, &status, 0) == pid, "cannot wait: %s", strerror(errno));
    if (WIFEXITED(status))
        printf("exited %d\n", WEXITSTATUS(status));
    else
        printf("killed %d\n", WTERMSIG(status));
}

static void remote_try(int argc, char **argv)
{
    pid_t pid = bproc_rfork(argc > 0 ? atoi(argv[0]) : 0);

    MUST(pid);
    if (pid == 0)
        detached_live(argv[1]);
    parent_wait(pid);
}

static void local_try(int argc, char **argv)
{
    pid_t pid = fork();

    (void)argc;
    MUST(pid);
    if (pid == 0)
        detached_live(argv[0]);
    parent_wait(pid);
}

static const struct prog_case cases[] = {
    { "remote", remote_try },
    { "local", local_try },
    { NULL, NULL }
};

int main(int argc, char **argv)
{
    return prog_run(cases, argc, argv);
}
