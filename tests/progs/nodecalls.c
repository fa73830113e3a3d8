/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nodecalls CALL [ARGUMENT]...: makes one call of <sys/bproc.h> about nodes, processes or
 * permissions and prints its result, what it filled in, and the name of errno if it failed:
 * "-1 EINVAL". Exits with 0, with 2 when it is used wrongly.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/progs/errorname.h"

static void result_print(int result)
{
    if (result == -1 && errno != 0)
        printf("-1 %s\n", error_name(errno));
    else
        printf("%d\n", result);
}

/* For calls that return a node, where -1 is the master. */
static void node_print(int node)
{
    if (node != BPROC_NODE_NONE)
        printf("%d\n", node);
    else if (errno != 0)
        printf("NONE %s\n", error_name(errno));
    else
        puts("NONE");
}

static void info_print(const struct bproc_node_info_t *info)
{
    static const char *const states[BPROC_NODE_NSTATES] = BPROC_NODE_STATE_STRINGS;
    struct in_addr addr = { info->addr };

    printf("%d %s %04o %u %u %s\n", info->node, states[info->status], info->mode,
           (unsigned)info->uid, (unsigned)info->gid, inet_ntoa(addr));
}

static void call_info(int node)
{
    struct bproc_node_info_t info;
    int result = bproc_nodeinfo(node, &info);

    if (result < 0)
        result_print(result);
    else
        info_print(&info);
}

static void call_list(int argument)
{
    struct bproc_node_info_t *list;
    int count = bproc_nodelist(&list);

    (void)argument;
    result_print(count);
    for (int i = 0; i < count; i++)
        info_print(&list[i]);
    free(list);
}

static void call_proclist(int node)
{
    struct bproc_proc_info_t *list;
    int count = bproc_proclist(node, &list);

    result_print(count);
    for (int i = 0; i < count; i++)
        printf("%d %d\n", list[i].pid, list[i].node);
    free(list);
}

static void address_print(int result, const struct sockaddr_in *addr, int size)
{
    if (result < 0)
        result_print(result);
    else
        printf("%s:%d %d\n", inet_ntoa(addr->sin_addr), ntohs(addr->sin_port), size);
}

static void call_nodeaddr(int node)
{
    struct sockaddr_in addr;
    int size = sizeof(addr);

    address_print(bproc_nodeaddr(node, (struct sockaddr *)&addr, &size), &addr, size);
}

static void call_masteraddr(int argument)
{
    struct sockaddr_in addr;
    int size = sizeof(addr);

    (void)argument;
    address_print(bproc_masteraddr((struct sockaddr *)&addr, &size), &addr, size);
}

static void call_version(int argument)
{
    struct bproc_version_t version;
    int result = bproc_version(&version);

    (void)argument;
    if (result < 0)
        result_print(result);
    else
        printf("%.3s %.24s\n", version.magic, version.version);
}

/* Says "ready", then "changed" at each change, until the daemon goes away or nothing comes. */
static void call_notifier(int seconds)
{
    struct pollfd poll_fd = { .fd = bproc_notifier(), .events = POLLIN };
    char bytes[16];

    if (poll_fd.fd < 0) {
        result_print(-1);
        return;
    }
    puts("ready");
    while (fflush(stdout) == 0 && poll(&poll_fd, 1, seconds * 1000) > 0) {
        if (read(poll_fd.fd, bytes, sizeof(bytes)) <= 0) {
            puts("gone");
            return;
        }
        puts("changed");
    }
    puts("silent");
}

/* The child exits with 7. */
static void call_rfork(int node)
{
    int status, pid = bproc_rfork(node);

    if (pid == 0)
        _exit(7);
    if (pid < 0)
        result_print(pid);
    else if (waitpid(pid, &status, 0) == pid && WIFEXITED(status))
        printf("exited %d\n", WEXITSTATUS(status));
    else
        printf("status %d\n", status);
}

static void call_name(const char *name)
{
    errno = 0;
    node_print(bproc_getnodebyname(name));
}

static void call_number(const char *text)
{
    struct sockaddr_in addr = { .sin_family = AF_INET };

    inet_pton(AF_INET, text, &addr.sin_addr);
    errno = 0;
    node_print(bproc_nodenumber((struct sockaddr *)&addr, sizeof(addr)));
}

static void call_currnode(int argument)
{
    (void)argument;
    errno = 0;
    node_print(bproc_currnode());
}

static void call_pidnode(int pid)
{
    errno = 0;
    node_print(bproc_pidnode(pid));
}

static void call_numnodes(int argument)
{
    (void)argument;
    result_print(bproc_numnodes());
}

static void call_status(int node)
{
    result_print(bproc_nodestatus(node));
}

static void call_strerror(int error)
{
    puts(bproc_strerror(error));
}

#define CALL_ONE(name)                                                                          \
    static void call_##name(int node)                                                           \
    {                                                                                           \
        result_print(bproc_node##name(node));                                                   \
    }
CALL_ONE(reboot)
CALL_ONE(halt)
CALL_ONE(pwroff)
CALL_ONE(reboot_async)
CALL_ONE(halt_async)
CALL_ONE(pwroff_async)

/* "MASTER[:PORT[,LOCAL[:PORT]]]" for node 0. */
static void address_read(char *text, struct sockaddr_in *addr)
{
    char *port = strchr(text, ':');

    *addr = (struct sockaddr_in){ .sin_family = AF_INET };
    if (port)
        *port++ = '\0';
    inet_pton(AF_INET, text, &addr->sin_addr);
    addr->sin_port = htons((uint16_t)(port ? atoi(port) : 0));
}

/* "NODE:PATH", or the second name of the call with "NODE:=PATH". */
static void call_chroot(const char *text)
{
    char words[100], *path;

    snprintf(words, sizeof(words), "%s", text);
    path = strchr(words, ':') + 1;
    if (*path == '=')
        result_print(bproc_nodechroot(atoi(words), path + 1));
    else
        result_print(bproc_slave_chroot(atoi(words), path));
}

CALL_ONE(cachepurgeok)
CALL_ONE(cachepurgefail)

static void call_reconnect(const char *text)
{
    struct sockaddr_in rem, loc;
    char words[100], *local;

    snprintf(words, sizeof(words), "%s", text);
    local = strchr(words, ',');
    if (local)
        *local++ = '\0';
    address_read(words, &rem);
    if (local)
        address_read(local, &loc);
    result_print(bproc_nodereconnect(0, (struct sockaddr *)&rem, sizeof(rem),
                                     local ? (struct sockaddr *)&loc : NULL, sizeof(loc)));
}

static const struct call {
    const char *name;
    int arguments;
    void (*one)(int);
    int (*two)(int, int);
    void (*text)(const char *);
} calls[] = {
    { "access", 2, NULL, bproc_access, NULL },
    { "byname", 1, NULL, NULL, call_name },
    { "chgrp", 2, NULL, bproc_chgrp, NULL },
    { "cachepurgefail", 1, call_cachepurgefail, NULL, NULL },
    { "cachepurgeok", 1, call_cachepurgeok, NULL, NULL },
    { "chmod", 2, NULL, bproc_chmod, NULL },
    { "chown", 2, NULL, bproc_chown, NULL },
    { "chroot", 1, NULL, NULL, call_chroot },
    { "currnode", 0, call_currnode, NULL, NULL },
    { "halt", 1, call_halt, NULL, NULL },
    { "halt_async", 1, call_halt_async, NULL, NULL },
    { "info", 1, call_info, NULL, NULL },
    { "list", 0, call_list, NULL, NULL },
    { "masteraddr", 0, call_masteraddr, NULL, NULL },
    { "nodeaddr", 1, call_nodeaddr, NULL, NULL },
    { "nodesetstatus", 2, NULL, bproc_nodesetstatus, NULL },
    { "notifier", 1, call_notifier, NULL, NULL },
    { "number", 1, NULL, NULL, call_number },
    { "numnodes", 0, call_numnodes, NULL, NULL },
    { "pidnode", 1, call_pidnode, NULL, NULL },
    { "proclist", 1, call_proclist, NULL, NULL },
    { "pwroff", 1, call_pwroff, NULL, NULL },
    { "pwroff_async", 1, call_pwroff_async, NULL, NULL },
    { "reboot", 1, call_reboot, NULL, NULL },
    { "reboot_async", 1, call_reboot_async, NULL, NULL },
    { "reconnect", 1, NULL, NULL, call_reconnect },
    { "rfork", 1, call_rfork, NULL, NULL },
    { "setnodestatus", 2, NULL, bproc_setnodestatus, NULL },
    { "status", 1, call_status, NULL, NULL },
    { "strerror", 1, call_strerror, NULL, NULL },
    { "version", 0, call_version, NULL, NULL },
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof(calls) / sizeof(calls[0]); i++) {
        const struct call *call = &calls[i];

        if (strcmp(argv[1], call->name) != 0 || argc - 2 != call->arguments)
            continue;
        errno = 0;
        if (call->text)
            call->text(argv[2]);
        else if (call->two)
            result_print(call->two((int)strtol(argv[2], NULL, 0), (int)strtol(argv[3], NULL, 0)));
        else
            call->one(argc > 2 ? atoi(argv[2]) : 0);
        return 0;
    }
    fputs("usage: nodecalls CALL [ARGUMENT]...\n", stderr);
    return 2;
}
