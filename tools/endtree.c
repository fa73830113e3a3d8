/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bproc-endtree PID SECONDS: ends process PID and all its descendants, as the user who calls it:
 * by SIGTERM, and those that are there SECONDS later by SIGKILL; with 0 by SIGKILL at once. bpsh
 * runs it on the node of a task. Exit status 0 when none is left, 1 otherwise.
 *
 * A process that has left the tree before, as daemons do, is not found; one whose parent ends by
 * the first signal is, as it was seen before.
 */
#include "config.h"

#include <dirent.h>
#include <err.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROUND_MS 20
#define KILL_ROUNDS 50

/* A number alone could be another process's by now. */
struct process {
    pid_t pid, parent;
    unsigned long long birth;
    bool dead;                  /* a zombie; its parent may take its time */
};

struct list {
    struct process *items;
    size_t count, room;
};

static void list_push(struct list *list, const struct process *process)
{
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 256;
        list->items = realloc(list->items, list->room * sizeof(*list->items));
        if (!list->items)
            err(1, "cannot list the processes");
    }
    list->items[list->count++] = *process;
}

static struct process *list_find(const struct list *list, pid_t pid)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].pid == pid)
            return &list->items[i];
    return NULL;
}

/* Reads /proc/NAME/stat; the command in it may hold anything, also parentheses and new lines. */
static bool process_read(const char *name, struct process *process)
{
    char path[300], text[1024] = "", state, *rest;
    FILE *in;

    snprintf(path, sizeof(path), "/proc/%s/stat", name);
    in = fopen(path, "re");
    if (in) {
        text[fread(text, 1, sizeof(text) - 1, in)] = '\0';
        fclose(in);
    }
    rest = strrchr(text, ')');
    if (!rest || sscanf(rest, ") %c %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                        "%*s %*s %llu", &state, &process->parent, &process->birth) != 3)
        return false;
    process->pid = atoi(name);
    process->dead = state == 'Z' || state == 'X';
    return true;
}

static void processes_read(struct list *all)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;

    if (!dir)
        err(1, "cannot list the processes");
    all->count = 0;
    while ((entry = readdir(dir)) != NULL) {
        struct process process;

        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            process_read(entry->d_name, &process))
            list_push(all, &process);
    }
    closedir(dir);
}

/* Adds the children of what is in the tree, then theirs. */
static void tree_grow(struct list *tree, const struct list *all)
{
    for (size_t t = 0; t < tree->count; t++)
        for (size_t i = 0; i < all->count; i++)
            if (all->items[i].parent == tree->items[t].pid && !tree->items[t].dead &&
                !list_find(tree, all->items[i].pid))
                list_push(tree, &all->items[i]);
}

/* Notes who of the tree has ended, finds new ones. How many are left. */
static size_t tree_update(struct list *tree, struct list *all)
{
    size_t left = 0;

    processes_read(all);
    for (size_t i = 0; i < tree->count; i++) {
        const struct process *now = list_find(all, tree->items[i].pid);

        if (!now || now->dead || now->birth != tree->items[i].birth)
            tree->items[i].dead = true;
    }
    tree_grow(tree, all);
    for (size_t i = 0; i < tree->count; i++)
        left += !tree->items[i].dead;
    return left;
}

/* What has been forked since the list was made: nobody could find it when its parent has ended. */
static void children_add(struct list *tree, pid_t parent)
{
    char path[64], name[16];
    struct process process;
    FILE *in;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent, (int)parent);
    in = fopen(path, "re");
    while (in && fscanf(in, "%15s", name) == 1)
        if (!list_find(tree, atoi(name)) && process_read(name, &process) &&
            process.parent == parent)
            list_push(tree, &process);
    if (in)
        fclose(in);
}

static void tree_signal(struct list *tree, int signo)
{
    for (size_t i = 0; i < tree->count; i++)
        if (!tree->items[i].dead) {
            children_add(tree, tree->items[i].pid);
            kill(tree->items[i].pid, signo);
            /* A stopped process has to wake up to end. */
            if (signo != SIGKILL)
                kill(tree->items[i].pid, SIGCONT);
        }
}

static void round_wait(void)
{
    nanosleep(&(struct timespec) { .tv_nsec = ROUND_MS * 1000000L }, NULL);
}

int main(int argc, char **argv)
{
    struct list tree = { 0 }, all = { 0 };
    struct process root;
    size_t left;
    int rounds;

    if (argc != 3 || atoi(argv[1]) <= 1)
        errx(1, "usage: bproc-endtree PID SECONDS");
    if (!process_read(argv[1], &root))
        return 0;
    list_push(&tree, &root);
    left = tree_update(&tree, &all);
    rounds = atoi(argv[2]) * (1000 / ROUND_MS);
    if (rounds > 0)
        tree_signal(&tree, SIGTERM);
    for (; left > 0 && rounds > 0; rounds--) {
        round_wait();
        left = tree_update(&tree, &all);
    }
    /* Again, as one may fork while it is being killed. */
    for (rounds = KILL_ROUNDS; left > 0 && rounds > 0; rounds--) {
        tree_signal(&tree, SIGKILL);
        round_wait();
        left = tree_update(&tree, &all);
    }
    free(tree.items);
    free(all.items);
    return left > 0;
}
