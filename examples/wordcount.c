/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counts the words of a text on all nodes that are up: fork() that spans machines.
 *
 * The text is read into memory once, here. Each child is forked onto a node with that memory in
 * it, counts its slice and writes the number into a pipe that was made before the forks.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <sys/bproc.h>

#define DEFAULT_TEXT "/usr/share/common-licenses/GPL-3"

struct result {
    int node;
    pid_t pid;
    long words;
    char host[64];
};

static char *text;
static size_t length;

static void text_read(const char *path)
{
    FILE *file = fopen(path, "r");
    size_t room = 1 << 16;

    if (!file) {
        fprintf(stderr, "wordcount: cannot read %s: %s\n", path, strerror(errno));
        exit(1);
    }
    text = malloc(room);
    while (text && (length += fread(text + length, 1, room - length, file)) == room)
        text = realloc(text, room *= 2);
    fclose(file);
    if (!text) {
        fprintf(stderr, "wordcount: out of memory\n");
        exit(1);
    }
}

/* Words that begin in the slice; one that begins before it belongs to the slice before. */
static long words_count(size_t from, size_t to)
{
    long words = 0;

    for (size_t i = from; i < to; i++)
        if (!isspace((unsigned char)text[i]) && (i == 0 || isspace((unsigned char)text[i - 1])))
            words++;
    return words;
}

/* Runs on the node: `text` is the caller's, the pipe leads back to it. */
static void slice_count(int node, int index, int count, int out)
{
    struct result result = { .node = node, .pid = getpid() };

    gethostname(result.host, sizeof(result.host) - 1);
    result.words = words_count(length * (size_t)index / (size_t)count,
                               length * (size_t)(index + 1) / (size_t)count);
    _exit(write(out, &result, sizeof(result)) == sizeof(result) ? 0 : 1);
}

static int nodes_up(int **nodes)
{
    struct bproc_node_info_t *list;
    int total = bproc_nodelist(&list);
    int count = 0;

    if (total < 0) {
        fprintf(stderr, "wordcount: cannot list the nodes: %s\n", bproc_strerror(errno));
        exit(1);
    }
    *nodes = calloc((size_t)total + 1, sizeof(**nodes));
    for (int i = 0; *nodes && i < total; i++)
        if (list[i].status == bproc_node_up)
            (*nodes)[count++] = list[i].node;
    free(list);
    return count;
}

static int children_fork(const int *nodes, int count, int out)
{
    int forked = 0;

    for (int i = 0; i < count; i++) {
        pid_t pid = bproc_rfork(nodes[i]);

        if (pid == 0)
            slice_count(nodes[i], i, count, out);
        if (pid < 0)
            fprintf(stderr, "wordcount: cannot fork onto node %d: %s\n", nodes[i],
                    bproc_strerror(errno));
        else
            forked++;
    }
    return forked;
}

static long results_gather(int in)
{
    struct result result;
    long total = 0;

    while (read(in, &result, sizeof(result)) == sizeof(result)) {
        printf("node %d (%s), process %d: %ld words\n", result.node, result.host,
               (int)result.pid, result.words);
        total += result.words;
    }
    return total;
}

static int children_wait(void)
{
    int failed = 0, status;

    while (wait(&status) > 0)
        failed += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    return failed;
}

/* The same count by wc(1), -1 if it cannot be had. */
static long words_by_wc(const char *path)
{
    long words = -1;
    int out[2];
    FILE *answer;
    pid_t pid;

    if (pipe(out) < 0)
        return -1;
    pid = fork();
    if (pid == 0) {
        dup2(out[1], STDOUT_FILENO);
        execlp("wc", "wc", "-w", path, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    answer = fdopen(out[0], "r");
    if (!answer || fscanf(answer, "%ld", &words) != 1)
        words = -1;
    if (answer)
        fclose(answer);
    if (pid > 0)
        waitpid(pid, NULL, 0);
    return words;
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : DEFAULT_TEXT;
    int results[2], count, forked, failed;
    int *nodes;
    long total;

    text_read(path);
    count = nodes_up(&nodes);
    if (count == 0 || pipe(results) < 0) {
        fprintf(stderr, "wordcount: %s\n", count == 0 ? "no node is up" : strerror(errno));
        return 1;
    }
    printf("%s: %zu bytes in memory, counted on %d nodes\n", path, length, count);
    fflush(stdout);
    forked = children_fork(nodes, count, results[1]);
    close(results[1]);
    total = results_gather(results[0]);
    failed = children_wait();
    printf("total: %ld words; wc -w says %ld\n", total, words_by_wc(path));
    return forked == count && failed == 0 ? 0 : 1;
}
