/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/bproc.h>
#include <sys/socket.h>

#include "tools/host.h"

static bool address_is_here(const struct sockaddr *address)
{
    struct sockaddr_in in;

    memcpy(&in, address, sizeof(in));
    return ntohl(in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* BPROC_NODE_NONE when the name has no address, or one that is no node's, or the daemon is mute. */
static int host_resolve(const char *name)
{
    struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
    struct addrinfo *list, *entry;
    int node = BPROC_NODE_NONE;

    if (getaddrinfo(name, NULL, &hints, &list) != 0) {
        errno = 0;
        return BPROC_NODE_NONE;
    }
    for (entry = list; entry && node == BPROC_NODE_NONE; entry = entry->ai_next) {
        node = bproc_nodenumber(entry->ai_addr, (int)entry->ai_addrlen);
        if (node == BPROC_NODE_NONE && !errno && address_is_here(entry->ai_addr))
            node = bproc_currnode();
    }
    freeaddrinfo(list);
    return node;
}

int host_find(const char *name)
{
    int node;

    errno = 0;
    node = bproc_getnodebyname(strcmp(name, "n-1") == 0 ? "-1" : name);
    return node != BPROC_NODE_NONE || errno != 0 ? node : host_resolve(name);
}
