/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vector calls, as a program of BProc 3 makes them. Speaks TAP; nodes 0 and 1 must be up. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/tap.h"

#define NAMELESS 8
#define CROWD 40

static int on_heap_and_stack(const int *heap, int stack, int rank)
{
    const char *text = getenv("BPROC_RANK");

    return *heap == 4711 && stack == 815 && text && strlen(text) == 7 && atoi(text) == rank;
}

/* What a child finds is its exit status: its rank and the node it is on. */
static void children_run(void)
{
    int nodes[] = { 0, 1, 99, 0, BPROC_NODE_SELF, BPROC_NODE_MASTER }, pids[6], status;
    int *heap = malloc(sizeof(*heap)), stack = 815, result;

    *heap = 4711;
    result = bproc_vrfork(6, nodes, pids);
    if (result < 6) {
        int right = on_heap_and_stack(heap, stack, result);

        _exit(right ? 16 * result + bproc_currnode() + 1 : 255);
    }
    is_int(result, 6, "the parent gets the number of nodes");
    for (int i = 0; i < 6; i++) {
        int node = nodes[i] == BPROC_NODE_SELF ? bproc_currnode() : nodes[i];

        if (nodes[i] == 99) {
            is_int(pids[i], -BE_INVALIDNODE, "a node that is none has its errno");
            continue;
        }
        ok(pids[i] > 0 && waitpid(pids[i], &status, 0) == pids[i], "child %d is a child", i);
        ok(WIFEXITED(status) && WEXITSTATUS(status) == 16 * i + node + 1,
           "it knows its rank, runs on node %d and has memory and stack (%#x)", node, status);
    }
    ok(waitpid(-1, NULL, __WALL) < 0 && errno == ECHILD, "there are no others");
    free(heap);
}

static void crowd_runs(void)
{
    int nodes[CROWD], pids[CROWD], status, good = 0, result;

    for (int i = 0; i < CROWD; i++)
        nodes[i] = i % 2;
    result = _bproc_vrfork(CROWD, nodes, pids, BPROC_DUMP_EXEC | BPROC_DUMP_OTHER);
    if (result < CROWD)
        _exit(result);
    for (int i = 0; i < CROWD; i++)
        good += pids[i] > 0 && waitpid(pids[i], &status, 0) == pids[i] &&
                status == i << 8;
    is_int(good, CROWD, "more children than fly at a time");
}

/* On node 0 there is another file where this one was, or no more. */
static void namesake_do(const char *fd, const char *what)
{
    char name[200] = "", command[300];
    ssize_t len = readlink(fd, name, sizeof(name) - 1);

    name[len > 0 ? strcspn(name, " ") : 0] = '\0';
    snprintf(command, sizeof(command), "bpsh 0 %s '%s'", what, name);
    if (system(command) != 0)
        exit(2);
}

/* A file without a name is made under one, for a moment, by each restore on the node. */
static void nameless_files_travel(void)
{
    int nodes[NAMELESS] = { 0 }, pids[NAMELESS], status, good = 0, result;
    FILE *file = tmpfile();
    char again[64];

    if (!file)
        exit(2);
    snprintf(again, sizeof(again), "/proc/self/fd/%d", fileno(file));
    namesake_do(again, "touch");
    if (open(again, O_RDONLY) < 0 || fputs("nameless", file) < 0 || fflush(file) != 0)
        exit(2);
    result = bproc_vrfork(NAMELESS, nodes, pids);
    if (result < NAMELESS) {
        char text[16] = "";

        rewind(file);
        _exit(fgets(text, sizeof(text), file) && strcmp(text, "nameless") == 0 ? result : 99);
    }
    for (int i = 0; i < NAMELESS; i++) {
        if (pids[i] <= 0)
            diag("child %d: %s", i, bproc_strerror(pids[i]));
        else
            good += waitpid(pids[i], &status, 0) == pids[i] && status == i << 8;
    }
    is_int(good, NAMELESS, "children with an open file that has no name, on one node at a time");
    namesake_do(again, "rm -f");
    fclose(file);
}

static void refusals(void)
{
    int nodes[] = { 99, 98 }, pids[2];

    ok(bproc_vrfork(-1, nodes, pids) == -1 && errno == EINVAL, "a negative number is refused");
    ok(bproc_vrfork(1, NULL, pids) == -1 && errno == EFAULT, "so are no nodes");
    ok(bproc_vrfork(1, nodes, NULL) == -1 && errno == EFAULT, "and no room for pids");
    ok(_bproc_vrfork(2, nodes, pids, -1) == -1 && errno == EINVAL, "and unknown flags");
    ok(bproc_vrfork_io(2, nodes, pids, 70000) == -1 && errno == EINVAL, "and a port that is none");
    is_int(bproc_vrfork(0, NULL, NULL), 0, "no children are no failure");
    ok(bproc_vrfork(2, nodes, pids) == 2 && pids[0] == -BE_INVALIDNODE &&
           pids[1] == -BE_INVALIDNODE, "if all fail, each has its reason");
}

static void programs_run(void)
{
    char *argv[] = { (char *)"sh", (char *)"-c", (char *)"exit $((10#$BPROC_RANK * 16 + $EXTRA))",
                     NULL };
    char *envp[] = { (char *)"EXTRA=5", (char *)"BPROC_RANK=XXXXXXX", NULL };
    int nodes[] = { 0, 1, BPROC_NODE_MASTER, 99 }, pids[4], status;

    is_int(bproc_vexecmove(4, nodes, pids, "/bin/bash", argv, envp), 4,
           "vexecmove: the caller goes on");
    for (int i = 0; i < 3; i++) {
        ok(pids[i] > 0 && waitpid(pids[i], &status, 0) == pids[i], "program %d is a child", i);
        is_int(status, (16 * i + 5) << 8, "it has its rank in its environment");
    }
    is_int(pids[3], -BE_INVALIDNODE, "a node that is none has its errno");
    ok(strcmp(envp[1], "BPROC_RANK=XXXXXXX") == 0, "the caller's strings are as before");
    ok(bproc_vexecmove(1, nodes, pids, "/none", argv, envp) == -1 && errno == ENOENT,
       "no such program: nothing is made");
    ok(bproc_vexecmove(1, nodes, pids, NULL, argv, envp) == -1 && errno == EFAULT,
       "nor without a program");
    ok(waitpid(-1, NULL, __WALL) < 0 && errno == ECHILD, "no child is left");
}

static int sigchlds;

static void sigchld_count(int signo)
{
    (void)signo;
    sigchlds++;
}

/* A file that is no program: on a node and here the exec fails when all else is done. */
static void programs_fail_quietly(const char *bad)
{
    char *argv[] = { (char *)"bad", NULL }, *envp[] = { NULL };
    int nodes[] = { 0, BPROC_NODE_MASTER }, pids[2];

    signal(SIGCHLD, sigchld_count);
    is_int(bproc_vexecmove(2, nodes, pids, bad, argv, envp), 2, "programs that are none");
    ok(pids[0] == -ENOEXEC && pids[1] == -ENOEXEC, "say so, there and here (%d, %d)", pids[0],
       pids[1]);
    ok(waitpid(-1, NULL, __WALL) < 0 && errno == ECHILD, "and leave no child");
    is_int(sigchlds, 0, "nor any SIGCHLD");
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    children_run();
    crowd_runs();
    nameless_files_travel();
    refusals();
    programs_run();
    programs_fail_quietly(argc > 1 ? argv[1] : "/etc/hostname");
    return done_testing();
}
