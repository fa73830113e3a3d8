/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "config.h"

#include "lab/boot.h"
#include "lab/die.h"
#include "lab/pidfile.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HALT_NODES_MAX = 64,
    HALT_PATIENCE_MS = 200,
    HALT_ROUNDS = 50,
    REAP_PATIENCE_MS = 2,
    REAP_ROUNDS = 1500,
};

struct victim {
    int fd;      /* pidfd of the init; negative when the node was down */
    pid_t pid;
    pid_t supply; /* its parent, which ends with it */
    ino_t space; /* its pid namespace */
};

static ino_t space_of(const char *pid, const char *which)
{
    char path[64];
    struct stat st;

    snprintf(path, sizeof(path), "/proc/%.20s/ns/%s", pid, which);
    return stat(path, &st) == 0 ? st.st_ino : 0;
}

/* The kernel ends a pid namespace only when all its processes have been reaped, and those that were
 * put in from outside are reaped outside: a "bplab exec" that was stopped by ^Z must go on to do
 * so. */
static void parents_continue(ino_t space)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;

    while (proc != NULL && (entry = readdir(proc)) != NULL)
        if (isdigit((unsigned char)entry->d_name[0])
            && space_of(entry->d_name, "pid_for_children") == space
            && space_of(entry->d_name, "pid") != space)
            kill((pid_t)strtol(entry->d_name, NULL, 10), SIGCONT);
    if (proc != NULL)
        closedir(proc);
}

static pid_t parent_of(pid_t pid)
{
    int parent = 1;
    char path[64];
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    /* The init's own name, "bplab-init", holds no blank. */
    if (file == NULL || fscanf(file, "%*d %*s %*c %d", &parent) != 1)
        parent = 1;
    if (file != NULL)
        fclose(file);
    return parent;
}

static int victim_kill(struct victim *victim, const char *nodedir)
{
    char number[16];

    victim->fd = pidfile_open(nodedir, &victim->pid);
    if (victim->fd < 0)
        return victim->fd == -ESRCH ? 0 : victim->fd;
    snprintf(number, sizeof(number), "%d", (int)victim->pid);
    victim->space = space_of(number, "pid");
    victim->supply = parent_of(victim->pid);
    if (pidfd_send_signal(victim->fd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
        return -errno;
    return 0;
}

static bool is_there(const struct victim *victim)
{
    return kill(victim->pid, 0) == 0 || (victim->supply > 1 && kill(victim->supply, 0) == 0);
}

/* The supply was left to the host's own init; that one takes its time. Nothing is lost if it takes
 * longer. */
static void reaping_wait(const struct victim *victims, int count)
{
    int i, round = 0;

    for (i = 0; i < count; i++)
        for (; round < REAP_ROUNDS && victims[i].fd >= 0 && is_there(&victims[i]); round++)
            poll(NULL, 0, REAP_PATIENCE_MS);
}

static int victim_wait(struct victim *victim)
{
    struct pollfd end = {.fd = victim->fd, .events = POLLIN};
    int round;

    if (victim->fd < 0)
        return 0;
    for (round = 0; round < HALT_ROUNDS; round++) {
        if (poll(&end, 1, HALT_PATIENCE_MS) > 0) {
            close(victim->fd);
            return 0;
        }
        parents_continue(victim->space);
    }
    return -ETIMEDOUT;
}

int halt_run(char **nodedirs, int count, bool reaped)
{
    struct victim victims[HALT_NODES_MAX];
    int i, error, bad = 0;

    if (count > HALT_NODES_MAX)
        die(1, "cannot kill %d nodes: at most %d at once", count, HALT_NODES_MAX);
    for (i = 0; i < count; i++) {
        error = victim_kill(&victims[i], nodedirs[i]);
        if (error < 0)
            die(1, "cannot kill node at %s: %s", nodedirs[i], strerror(-error));
    }
    for (i = 0; i < count; i++) {
        error = victim_wait(&victims[i]);
        if (error < 0) {
            dprintf(STDERR_FILENO, "bplab: cannot kill node at %s: %s\n", nodedirs[i],
                    strerror(-error));
            bad = 1;
        }
    }
    if (reaped)
        reaping_wait(victims, count);
    return bad;
}
