/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "moves/task.h"

#define STATUS_MAX (16 * 1024)
#define LIMITS_MAX 4096
#define LIMIT_NAME 25

static int ids_read(const char *at, unsigned *ids, unsigned max, unsigned *count)
{
    char *end;

    for (*count = 0;; (*count)++) {
        unsigned long id;

        at += strspn(at, " \t");
        if (*at == '\n' || *at == '\0')
            return 0;
        if (*count == max)
            return -E2BIG;
        id = strtoul(at, &end, 10);
        if (end == at)
            return -EPROTO;
        ids[*count] = (unsigned)id;
        at = end;
    }
}

static const char *field_find(const char *text, const char *name)
{
    const char *at = strstr(text, name);

    return at ? at + strlen(name) : NULL;
}

/* The last of the numbers of a line, 0 if there is none; *count: how many there are, or NULL. */
static pid_t number_last(const char *text, const char *name, unsigned *count)
{
    const char *at = field_find(text, name);
    unsigned seen = 0;
    pid_t number = 0;

    for (; at && *(at += strspn(at, " \t")) != '\n' && *at; seen++) {
        number = (pid_t)strtol(at, NULL, 10);
        at += strcspn(at, " \t\n");
    }
    if (count)
        *count = seen;
    return number;
}

static int text_parse(const char *text, struct task *task)
{
    const char *ppid = field_find(text, "\nPPid:"), *uid = field_find(text, "\nUid:");
    const char *gid = field_find(text, "\nGid:"), *groups = field_find(text, "\nGroups:");
    const char *capabilities = field_find(text, "\nCapPrm:");
    const char *bounding = field_find(text, "\nCapBnd:");
    const char *no_new_privs = field_find(text, "\nNoNewPrivs:");
    unsigned count;
    int error;

    if (!ppid || !uid || !gid || !groups || !capabilities || !bounding || !no_new_privs)
        return -EPROTO;
    task->capabilities = strtoull(capabilities, NULL, 16);
    task->bounding = strtoull(bounding, NULL, 16);
    task->no_new_privs = strtol(no_new_privs, NULL, 10) != 0;
    task->ppid = (pid_t)strtol(ppid, NULL, 10);
    task->number = number_last(text, "\nNSpid:", &task->depth);
    task->pgid = number_last(text, "\nNSpgid:", NULL);
    task->sid = number_last(text, "\nNSsid:", NULL);
    error = ids_read(uid, task->uids, 4, &count);
    if (!error && count == 4)
        error = ids_read(gid, task->gids, 4, &count);
    if (!error && count != 4)
        error = -EPROTO;
    return error ? error : ids_read(groups, task->groups, BPROC_MAX_GROUPS, &task->ngroups);
}

/* A file of /proc, ended by a NUL; bytes read or -ESRCH. */
static ssize_t text_read(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t got = 0;
    ssize_t n;

    if (fd < 0)
        return -ESRCH;
    while (got < size - 1 && (n = read(fd, text + got, size - 1 - got)) > 0)
        got += (size_t)n;
    close(fd);
    text[got] = '\0';
    return (ssize_t)got;
}

int task_read(pid_t pid, struct task *task)
{
    char path[40], text[STATUS_MAX];
    ssize_t got;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    memset(task, 0, sizeof(*task));
    got = text_read(path, text, sizeof(text));
    return got < 0 ? (int)got : text_parse(text, task);
}

int task_is_plain(const struct task *task, uid_t uid)
{
    for (int i = 0; i < 4; i++)
        if (task->uids[i] != uid || task->gids[i] != task->gids[0])
            return 0;
    return uid == 0 || task->capabilities == 0;
}

/* All that this kernel knows are all: the kernel where the process goes may know of more. */
static unsigned long long set_complete(unsigned long long set)
{
    static unsigned long long known;

    for (int i = 0; i < 64 && !(known >> i); i++)
        if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0)
            known |= 1ULL << i;
    return (set & known) == known ? ~0ULL : set;
}

static int shares_users(pid_t pid)
{
    static struct stat ours;
    struct stat its;
    char path[40];

    snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
    if ((ours.st_ino == 0 && stat("/proc/self/ns/user", &ours) < 0) || stat(path, &its) < 0)
        return 0;
    return its.st_ino == ours.st_ino && its.st_dev == ours.st_dev;
}

restraint task_restraint(pid_t pid, const struct task *task)
{
    restraint least = { task->no_new_privs, set_complete(task->bounding) };

    /* No program gives root back what it has let go of then. */
    if (task->no_new_privs && task->uids[0] == 0)
        least.capabilities &= set_complete(task->capabilities);
    if (!shares_users(pid))
        least.capabilities = 0;
    return least;
}

/* The hard one of a line: behind a name of 25 letters with blanks, and the soft one. */
static int limit_parse(const char *line, u_quad_t *limit)
{
    char *end;

    if (strnlen(line, LIMIT_NAME) < LIMIT_NAME)
        return -EPROTO;
    line += LIMIT_NAME;
    line += strspn(line, " ");
    line += strcspn(line, " \n");
    line += strspn(line, " ");
    if (strncmp(line, "unlimited", 9) == 0) {
        *limit = UINT64_MAX;
        return 0;
    }
    *limit = strtoull(line, &end, 10);
    return end > line ? 0 : -EPROTO;
}

/* In the order of their numbers. */
int task_limits(pid_t pid, u_quad_t limits[RLIM_NLIMITS])
{
    char path[40], text[LIMITS_MAX];
    const char *line = text;

    snprintf(path, sizeof(path), "/proc/%d/limits", (int)pid);
    if (text_read(path, text, sizeof(text)) <= 0)
        return -ESRCH;
    for (unsigned i = 0; i < RLIM_NLIMITS; i++) {
        line = strchr(line, '\n');
        if (!line || limit_parse(++line, &limits[i]) < 0)
            return -EPROTO;
    }
    return 0;
}

unsigned task_login(pid_t pid)
{
    char path[40], text[16];

    snprintf(path, sizeof(path), "/proc/%d/loginuid", (int)pid);
    return text_read(path, text, sizeof(text)) <= 0 ? (unsigned)-1
                                                    : (unsigned)strtoul(text, NULL, 10);
}

int task_runs(pid_t pid, const char *name)
{
    char link[40], path[PATH_MAX];
    size_t len = strlen(name);
    const char *at;
    ssize_t n;

    snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
    n = readlink(link, path, sizeof(path) - 1);
    if (n <= 0)
        return 0;
    path[n] = '\0';
    at = strrchr(path, '/');
    /* The file may have been replaced by an update meanwhile. */
    return at && strncmp(at + 1, name, len) == 0 &&
           (at[1 + len] == '\0' || strcmp(at + 1 + len, " (deleted)") == 0);
}

unsigned task_words(pid_t pid, char *words, size_t size)
{
    char path[40];
    ssize_t got;

    snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
    got = text_read(path, words, size);
    return got > 0 ? (unsigned)got : 0;
}

pid_t task_number(pid_t pid)
{
    char path[40], text[STATUS_MAX];

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    return text_read(path, text, sizeof(text)) < 0 ? 0 : number_last(text, "\nNSpid:", NULL);
}

pid_t task_parent(pid_t pid)
{
    char path[40], text[STATUS_MAX];

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    return text_read(path, text, sizeof(text)) < 0 ? 0 : number_last(text, "\nPPid:", NULL);
}

static unsigned children_parse(const char *at, pid_t *list, unsigned max, unsigned count)
{
    char *end;

    for (;;) {
        pid_t pid = (pid_t)strtol(at, &end, 10);

        if (end == at)
            return count;
        if (count < max)
            list[count] = pid;
        count++;
        at = end;
    }
}

/* One thread's children: as long as it is, the file has to be read whole. */
static unsigned thread_children(pid_t pid, const char *tid, pid_t *list, unsigned max,
                                unsigned count)
{
    size_t size = 64 * 1024;
    char path[64], *text;
    ssize_t got;

    snprintf(path, sizeof(path), "/proc/%d/task/%.16s/children", (int)pid, tid);
    do {
        text = malloc(size *= 2);
        got = text ? text_read(path, text, size) : -ENOMEM;
        if (got > 0 && (size_t)got < size - 1)
            count = children_parse(text, list, max, count);
        free(text);
    } while (got == (ssize_t)size - 1);
    return count;
}

int task_children(pid_t pid, pid_t *list, unsigned max)
{
    struct dirent *entry;
    unsigned count = 0;
    char path[40];
    DIR *dir;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    dir = opendir(path);
    if (!dir)
        return -ESRCH;
    while ((entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            count = thread_children(pid, entry->d_name, list, max, count);
    closedir(dir);
    return (int)count;
}
