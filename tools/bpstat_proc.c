/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>

#include "tools/bpstat_proc.h"

#define BLANKS " \t\n"

static int pid_compare(const void *a, const void *b)
{
    const struct bproc_proc_info_t *left = a, *right = b;

    return (left->pid > right->pid) - (left->pid < right->pid);
}

int procs_load(struct bproc_proc_info_t **procs)
{
    int count = bproc_proclist(BPROC_NODE_ANY, procs);

    if (count < 0)
        return -errno;
    if (count > 1)
        qsort(*procs, (size_t)count, sizeof(**procs), pid_compare);
    return count;
}

static int chosen(int node, const int *nodes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (nodes[i] == node)
            return 1;
    return count == 0;
}

int proc_print(const int *nodes, size_t count)
{
    struct bproc_proc_info_t *procs;
    int procs_count = procs_load(&procs);

    if (procs_count < 0)
        return procs_count;
    puts("PID\tNode");
    for (int i = 0; i < procs_count; i++)
        if (chosen(procs[i].node, nodes, count))
            printf("%d\t%d\n", procs[i].pid, procs[i].node);
    free(procs);
    return 0;
}

/* Start of the field number `column` of `line`, NULL if it has fewer. */
static const char *field_find(const char *line, int column)
{
    line += strspn(line, BLANKS);
    while (*line && column-- > 0) {
        line += strcspn(line, BLANKS);
        line += strspn(line, BLANKS);
    }
    return *line ? line : NULL;
}

/* Which field of the header is PID; -1 if none. */
static int column_find(const char *header)
{
    const char *field;

    for (int column = 0; (field = field_find(header, column)) != NULL; column++)
        if (strcspn(field, BLANKS) == 3 && strncmp(field, "PID", 3) == 0)
            return column;
    return -1;
}

static void line_print(const char *line, int column, const struct bproc_proc_info_t *procs,
                       int count)
{
    const char *field = field_find(line, column);
    struct bproc_proc_info_t key = { .pid = field ? atoi(field) : 0 };
    const struct bproc_proc_info_t *found = NULL;

    if (count > 0)
        found = bsearch(&key, procs, (size_t)count, sizeof(key), pid_compare);
    if (found)
        printf("%d", found->node);
    printf("\t%s", line);
}

int proc_filter(void)
{
    struct bproc_proc_info_t *procs;
    int count = procs_load(&procs);
    int column = -1, error = count < 0 ? count : 0;
    char *line = NULL;
    size_t room = 0;

    if (!error && getline(&line, &room, stdin) > 0)
        column = column_find(line);
    if (!error && column < 0)
        error = -EINVAL;
    if (!error)
        printf("NODE\t%s", line);
    while (!error && getline(&line, &room, stdin) > 0)
        line_print(line, column, procs, count);
    free(line);
    free(procs);
    return error;
}
