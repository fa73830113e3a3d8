/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What BProc 4 has in the same form as BProc 3, as a program of BProc 4 calls it. Speaks TAP. To
 * run as root on the master; nodes 0 and 1 must be up.
 */
#define BPROC_API_VERSION 4
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/tap.h"

static char *text_of(const char *text)
{
    return (char *)(uintptr_t)text;
}

static void ends_with(int pid, int want, const char *name)
{
    int status = -1;

    waitpid(pid, &status, 0);
    is_int(status, want << 8, "%s", name);
}

static void forks(void)
{
    int nodes[] = { 1, 0 }, pids[2], result, pid = bproc_rfork(1);

    if (pid == 0)
        _exit(bproc_currnode());
    ends_with(pid, 1, "bproc_rfork");
    pid = _bproc_rfork(1, BPROC_DUMP_ALL);
    if (pid == 0)
        _exit(bproc_currnode());
    ends_with(pid, 1, "_bproc_rfork");
    result = bproc_vrfork(2, nodes, pids);
    if (result < 2)
        _exit(16 * bproc_currnode() + result);
    ends_with(pids[0], 16, "bproc_vrfork");
    ends_with(pids[1], 1, "and its second child");
    result = _bproc_vrfork(1, nodes, pids, BPROC_DUMP_EXEC);
    if (result < 1)
        _exit(bproc_currnode());
    ends_with(pids[0], 1, "_bproc_vrfork");
}

static void programs(void)
{
    char *argv[] = { text_of("sh"), text_of("-c"), text_of("exit 7"), NULL }, *envp[] = { NULL };
    int nodes[] = { 1, 0 }, pids[2], pid = fork();

    if (pid == 0) {
        bproc_rexec(0, "/bin/sh", argv, envp);
        _exit(1);
    }
    ends_with(pid, 7, "bproc_rexec");
    pid = fork();
    if (pid == 0) {
        bproc_execmove(0, "/bin/sh", argv, envp);
        _exit(1);
    }
    ends_with(pid, 7, "bproc_execmove");
    is_int(bproc_vexecmove(2, nodes, pids, "/bin/sh", argv, envp), 2, "bproc_vexecmove");
    ends_with(pids[0], 7, "its first child");
    ends_with(pids[1], 7, "and its second");
}

static void others(void)
{
    struct bproc_proc_info_t *procs;
    struct bproc_version_t version;
    struct sockaddr addr;
    int size = sizeof(addr);

    is_int(bproc_access(0, BPROC_X_OK), 0, "bproc_access");
    is_int(bproc_chmod(0, 0111), 0, "bproc_chmod");
    is_int(bproc_chown(0, 0), 0, "bproc_chown");
    is_int(bproc_chgrp(0, 0), 0, "bproc_chgrp");
    is_int(bproc_nodeaddr(0, &addr, &size), 0, "bproc_nodeaddr");
    ok(bproc_proclist(BPROC_NODE_ANY, &procs) >= 0, "bproc_proclist");
    is_int(bproc_version(&version), 0, "bproc_version");
    is_str(bproc_strerror(BE_INVALIDNODE), "Invalid node number", "bproc_strerror");
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    forks();
    programs();
    others();
    return done_testing();
}
