/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls about nodes and processes, as a program of BProc 3 makes them. Speaks TAP. To run as root,
 * on the master of a cluster of three nodes, 0 and 1 up, 2 down.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/tap.h"

static void nodes(void)
{
    static const char *const states[BPROC_NODE_NSTATES] = BPROC_NODE_STATE_STRINGS;
    struct bproc_node_info_t info, *list;
    struct bproc_version_t version;

    is_int(bproc_init(), 0, "bproc_init");
    is_int(bproc_numnodes(), 3, "bproc_numnodes");
    is_int(bproc_currnode(), BPROC_NODE_MASTER, "bproc_currnode");
    ok(bproc_nodeup(0) && !bproc_nodeup(2) && !bproc_nodeup(77), "bproc_nodeup");
    is_str(states[bproc_nodestatus(1)], "up", "bproc_nodestatus");
    ok(!bproc_nodestatus(2), "it is false for a node that is down");
    ok(bproc_nodestatus(77) == -1 && errno == EINVAL, "and no such node is EINVAL");
    ok(bproc_nodeinfo(1, &info) == 0 && info.node == 1 && info.status == bproc_node_up &&
           info.mode == 0111 && info.addr != 0, "bproc_nodeinfo");
    ok(bproc_nodeinfo(2, &info) == -1 && errno == EINVAL, "not of one that is down");
    is_int(bproc_nodelist(&list), 3, "bproc_nodelist");
    ok(list[2].status == bproc_node_down && list[0].node == 0, "with those");
    is_int(_bproc_access(&list[0], BPROC_X_OK), 0, "_bproc_access");
    free(list);
    is_int(bproc_access(0, BPROC_X_OK), 0, "bproc_access");
    ok(bproc_version(&version) == 0 && memcmp(version.magic, "BPr", 3) == 0, "bproc_version");
    is_str(bproc_strerror(-BE_NODEDOWN), "Node is down", "bproc_strerror");
}

static void addresses(void)
{
    struct sockaddr_in addr;
    int size = sizeof(addr);

    ok(bproc_nodeaddr(1, (struct sockaddr *)&addr, &size) == 0 && size == sizeof(addr) &&
           addr.sin_family == AF_INET, "bproc_nodeaddr");
    is_int(bproc_nodenumber((struct sockaddr *)&addr, size), 1, "bproc_nodenumber");
    ok(bproc_masteraddr((struct sockaddr *)&addr, &size) == 0, "bproc_masteraddr");
    is_int(bproc_nodenumber((struct sockaddr *)&addr, size), BPROC_NODE_MASTER, "there and back");
    is_int(bproc_getnodebyname("master"), BPROC_NODE_MASTER, "bproc_getnodebyname");
    is_int(bproc_getnodebyname("localhost"), BPROC_NODE_NONE, "which knows no host names");
}

static void administration(void)
{
    struct pollfd fd = { .fd = bproc_notifier(), .events = POLLIN };
    struct bproc_node_info_t info;
    char byte;

    is_int(bproc_setnodestatus(1, bproc_node_unavailable), 0, "bproc_setnodestatus");
    ok(poll(&fd, 1, 10000) == 1 && read(fd.fd, &byte, 1) == 1, "bproc_notifier");
    is_int(bproc_nodesetstatus(1, bproc_node_up), 0, "bproc_nodesetstatus");
    ok(bproc_setnodestatus(1, 8) == -1 && errno == EINVAL, "a state that is none");
    is_int(bproc_chmod(1, 0110), 0, "bproc_chmod");
    is_int(bproc_chown(1, 70000), 0, "bproc_chown");
    is_int(bproc_chgrp(1, 7), 0, "bproc_chgrp");
    ok(bproc_nodeinfo(1, &info) == 0 && info.mode == 0110 && info.user == 65534 &&
           info.uid == 70000 && info.group == 7, "all of that is seen");
    ok(bproc_chmod(1, 0111) == 0 && bproc_chown(1, 0) == 0 && bproc_chgrp(1, 0) == 0, "and undone");
    close(fd.fd);
}

static void processes(void)
{
    struct bproc_proc_info_t *list;
    int pid = bproc_rfork(0), status, count, found = 0;

    if (pid == 0) {
        pause();
        _exit(0);
    }
    is_int(bproc_pidnode(pid), 0, "bproc_pidnode");
    is_int(bproc_pidnode(getpid()), BPROC_NODE_NONE, "on the master: none");
    is_int(bproc_pidghostnode(pid), BPROC_NODE_MASTER, "bproc_pidghostnode");
    is_int(bproc_pidghostnode(getpid()), BPROC_NODE_NONE, "of one that never moved: none");
    count = bproc_proclist(BPROC_NODE_ANY, &list);
    for (int i = 0; i < count; i++)
        found += list[i].pid == pid && list[i].node == 0;
    is_int(found, 1, "bproc_proclist");
    free(list);
    kill(pid, SIGKILL);
    ok(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status), "and it can be killed");
}

static void ends_with(int pid, int want, const char *name)
{
    int status = -1;

    waitpid(pid, &status, 0);
    is_int(status, want << 8, "%s", name);
}

static char *argv_of(const char *script)
{
    return (char *)(uintptr_t)script;
}

/* Each form once, in a child that becomes the program. */
static void programs(void)
{
    char *argv[] = { argv_of("sh"), argv_of("-c"), argv_of("exit 7"), NULL }, *envp[] = { NULL };

    for (int form = 0; form < 8; form++) {
        int pid = fork();

        if (pid == 0) {
            switch (form) {
            case 0: bproc_rexec(0, "/bin/sh", argv, envp); break;
            case 1: _bproc_rexec(0, BPROC_IO_STDIN, "/bin/sh", argv, envp); break;
            case 2: bproc_rexec_io(0, 0, "/bin/sh", argv, envp); break;
            case 3: _bproc_rexec_io(0, 0, "/bin/sh", argv, envp); break;
            case 4: bproc_execmove(0, "/bin/sh", argv, envp); break;
            case 5: bproc_execmove_io(0, 0, "/bin/sh", argv, envp); break;
            case 6: _bproc_execmove(0, BPROC_IO_STDIN, "/bin/sh", argv, envp); break;
            default: _bproc_execmove_io(0, 0, "/bin/sh", argv, envp); break;
            }
            _exit(1);
        }
        ends_with(pid, 7, "a program that is executed elsewhere");
    }
    ok(bproc_rexec_io(0, 70000, "/bin/sh", argv, envp) == -1 && errno == EINVAL, "a bad port");
    ok(_bproc_rexec(0, 1, "/bin/sh", argv, envp) == -1 && errno == EINVAL, "bad flags");
    ok(_bproc_execmove(0, 1, "/bin/sh", argv, envp) == -1 && errno == EINVAL, "bad flags, too");
}

/* Accepts three connections and gives what comes over the first; -1 when none come. */
static int port_listen(int *port)
{
    struct sockaddr_in addr = { .sin_family = AF_INET };
    socklen_t len = sizeof(addr);
    int sock = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(sock, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(sock, 8) < 0 ||
        getsockname(sock, (struct sockaddr *)&addr, &len) < 0)
        exit(2);
    *port = ntohs(addr.sin_port);
    return sock;
}

static void forks(void)
{
    static const int places[] = { 0, BPROC_NODE_SELF };
    int port, listener = port_listen(&port);

    ok(_bproc_rfork(0, -1) == -1 && errno == EINVAL, "flags that are none");
    for (int i = 0; i < 2; i++) {
        int pid = _bproc_rfork_io(places[i], BPROC_DUMP_EXEC | BPROC_DUMP_OTHER, port), socks[3];
        char text[8] = "";

        if (pid == 0) {
            char byte = 0;

            (void)!write(1, "out", 3);
            (void)!write(2, "err", 3);
            _exit(read(0, &byte, 1) == 1 ? byte : 1);
        }
        for (int k = 0; k < 3; k++)
            socks[k] = accept(listener, NULL, NULL);
        ok(recv(socks[0], text, 3, MSG_WAITALL) == 3 && strcmp(text, "out") == 0,
           "the first connection is standard output");
        ok(recv(socks[1], text, 3, MSG_WAITALL) == 3 && strcmp(text, "err") == 0,
           "the second standard error");
        (void)!write(socks[2], "\t", 1);
        ends_with(pid, '\t', "the third standard input");
        for (int k = 0; k < 3; k++)
            close(socks[k]);
    }
    close(listener);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    nodes();
    addresses();
    administration();
    processes();
    programs();
    forks();
    return done_testing();
}
