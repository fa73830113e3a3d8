/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>

#include "libbproc/client.h"
#include "libbproc/node.h"

static int address_copy(uint32_t host_addr, unsigned port, struct sockaddr *addr, int *size)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(host_addr) };
    int used = *size < (int)sizeof(in) ? *size : (int)sizeof(in);

    if (host_addr == 0)
        return -EINVAL;
    memcpy(addr, &in, (size_t)used);
    *size = used;
    return 0;
}

int bproc_nodeaddr(int node, struct sockaddr *addr, int *size)
{
    node_list_ret list;
    const node_record *record;
    int error = addr && size && *size >= 0 ? node_resolve(&node) : -EINVAL;

    if (!error)
        error = node_list_fetch(&list);
    if (error)
        return client_result(error);
    record = node_list_find(&list, node);
    if (node == BPROC_NODE_MASTER)
        error = address_copy(list.master_addr, list.master_port, addr, size);
    else
        error = record ? address_copy(record->addr, 0, addr, size) : -EINVAL;
    node_list_free(&list);
    return client_result(error);
}

int bproc_masteraddr(struct sockaddr *addr, int *size)
{
    return bproc_nodeaddr(BPROC_NODE_MASTER, addr, size);
}

static int address_find(const node_list_ret *list, uint32_t host_addr)
{
    if (host_addr == 0)
        return BPROC_NODE_NONE;
    if (host_addr == list->master_addr)
        return BPROC_NODE_MASTER;
    for (unsigned i = 0; i < list->nodes.nodes_len; i++)
        if (list->nodes.nodes_val[i].addr == host_addr)
            return list->nodes.nodes_val[i].node;
    return BPROC_NODE_NONE;
}

int bproc_nodenumber(struct sockaddr *addr, int size)
{
    struct sockaddr_in in;
    node_list_ret list;
    int node, error;

    if (!addr || size < (int)sizeof(in) || addr->sa_family != AF_INET) {
        errno = EINVAL;
        return BPROC_NODE_NONE;
    }
    memcpy(&in, addr, sizeof(in));
    error = node_list_fetch(&list);
    errno = -error;
    if (error)
        return BPROC_NODE_NONE;
    node = address_find(&list, ntohl(in.sin_addr.s_addr));
    node_list_free(&list);
    errno = 0;
    return node;
}

/* A number in a node's name, or BPROC_NODE_NONE when that is none. */
static int name_number(const char *name)
{
    const char *digits = *name == 'n' || *name == '.' ? name + 1 : name;
    char *end;
    long number;

    if (*digits < '0' || *digits > '9')
        return BPROC_NODE_NONE;
    errno = 0;
    number = strtol(digits, &end, 10);
    return *end || errno || number > INT_MAX ? BPROC_NODE_NONE : (int)number;
}

int bproc_getnodebyname(const char *name)
{
    node_list_ret list;
    int node, error;

    if (!name) {
        errno = EINVAL;
        return BPROC_NODE_NONE;
    }
    if (strcmp(name, "self") == 0)
        return bproc_currnode();
    if (strcmp(name, "master") == 0 || strcmp(name, "-1") == 0)
        return BPROC_NODE_MASTER;
    node = name_number(name);
    error = node == BPROC_NODE_NONE ? 0 : node_list_fetch(&list);
    errno = -error;
    if (error || node == BPROC_NODE_NONE)
        return BPROC_NODE_NONE;
    if (!node_list_find(&list, node))
        node = BPROC_NODE_NONE;
    node_list_free(&list);
    errno = 0;
    return node;
}
