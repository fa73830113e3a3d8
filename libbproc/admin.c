/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>
#include <sys/bproc.h>

#include "libbproc/client.h"
#include "libbproc/node.h"

static int perm_set(int node, perm_what what, int value)
{
    set_perm_arg arg = { .node = node, .what = what, .value = (unsigned)value };
    int error = value >= 0 ? node_resolve(&arg.node) : -EINVAL;

    if (!error)
        error = client_call_node(P_NODE_SET_PERM, FRAME_XDR(set_perm_arg), &arg, NULL, NULL, 0);
    return client_result(error);
}

int bproc_chmod(int node, int mode)
{
    if (mode & ~0111)
        return client_result(-EINVAL);
    return perm_set(node, PERM_MODE, mode);
}

int bproc_chown(int node, int user)
{
    return perm_set(node, PERM_USER, user);
}

int bproc_chgrp(int node, int group)
{
    return perm_set(node, PERM_GROUP, group);
}

int bproc_setnodestatus(int node, int status)
{
    return client_result(node_set_state(node, status));
}

static int node_power(int node, node_state what, int wait)
{
    power_arg arg = { .node = node, .what = what, .wait = wait };
    int error = node_resolve(&arg.node);

    if (!error)
        error = client_call_node(P_NODE_POWER, FRAME_XDR(power_arg), &arg, NULL, NULL, 0);
    return client_result(error);
}

int bproc_nodereboot(int node)
{
    return node_power(node, NODE_REBOOT, 1);
}

int bproc_nodehalt(int node)
{
    return node_power(node, NODE_HALT, 1);
}

int bproc_nodepwroff(int node)
{
    return node_power(node, NODE_PWROFF, 1);
}

int bproc_nodereboot_async(int node)
{
    return node_power(node, NODE_REBOOT, 0);
}

int bproc_nodehalt_async(int node)
{
    return node_power(node, NODE_HALT, 0);
}

int bproc_nodepwroff_async(int node)
{
    return node_power(node, NODE_PWROFF, 0);
}

/* IPv4 address and port in host byte order; NULL: zeros. 0 or -EINVAL. */
static int address_split(const struct sockaddr *addr, int size, u_int *ip, u_int *port)
{
    struct sockaddr_in in = { .sin_family = AF_INET };

    if (addr && (size < (int)sizeof(in) || addr->sa_family != AF_INET))
        return -EINVAL;
    if (addr)
        memcpy(&in, addr, sizeof(in));
    *ip = ntohl(in.sin_addr.s_addr);
    *port = ntohs(in.sin_port);
    return 0;
}

int bproc_nodereconnect(int node, struct sockaddr *rem, int remsize, struct sockaddr *loc,
                        int locsize)
{
    reconnect_arg arg = { .node = node };
    int error = rem ? address_split(rem, remsize, &arg.addr, &arg.port) : -EINVAL;

    if (!error)
        error = address_split(loc, locsize, &arg.own_addr, &arg.own_port);
    if (!error)
        error = node_resolve(&arg.node);
    if (!error)
        error = client_call_node(P_NODE_RECONNECT, FRAME_XDR(reconnect_arg), &arg, NULL, NULL, 0);
    return client_result(error);
}

int bproc_slave_chroot(int node, const char *path)
{
    chroot_arg arg = { .node = node, .path = (char *)(uintptr_t)path };
    int error = !path                           ? -EFAULT
                : strlen(path) >= BPROC_MAX_PATH ? -E2BIG
                : path[0] != '/'                 ? -EINVAL
                                                 : node_resolve(&arg.node);

    if (!error)
        error = client_call_node(P_NODE_CHROOT, FRAME_XDR(chroot_arg), &arg, NULL, NULL, 0);
    return client_result(error);
}

int bproc_nodechroot(int node, char *path)
{
    return bproc_slave_chroot(node, path);
}

int bproc_nodecachepurgeok(int node)
{
    node_arg arg = { .node = node };
    int error = node_resolve(&arg.node);

    if (!error)
        error = client_call_node(P_CACHE_PURGE, FRAME_XDR(node_arg), &arg, NULL, NULL, 0);
    return client_result(error);
}

/* The cache keeps no failures, but who asks hears of a wrong node all the same. */
int bproc_nodecachepurgefail(int node)
{
    struct bproc_node_info_t info;

    if (geteuid() != 0)
        return client_result(-EPERM);
    return bproc_nodeinfo(node, &info);
}

int bproc_nodesetstatus(int node, int status)
{
    return bproc_setnodestatus(node, status);
}
