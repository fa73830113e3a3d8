/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The calls about nodes and processes that BProc 4 has in another form than BProc 3. */
#define BPROC_API_VERSION 4
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/bproc.h>

#include "libbproc/access.h"
#include "libbproc/client.h"
#include "libbproc/node.h"
#include "libbproc/proc.h"

static void info_fill(struct bproc_node_info_t *info, const node_record *record)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(record->addr) };

    memset(info, 0, sizeof(*info));
    info->node = record->node;
    strncpy(info->status, node_record_word(record), sizeof(info->status) - 1);
    info->mode = record->mode;
    info->user = record->uid;
    info->group = record->gid;
    memcpy(&info->addr, &addr, sizeof(info->addr));
}

/* In this form a wrong number has its own error. */
static int fetch(int node, node_record *record)
{
    int error = node_fetch(node, record);

    return error == -EINVAL ? -BE_INVALIDNODE : error;
}

int bproc_nodestatus(int node, char *status, int len)
{
    node_record record;
    const char *word;
    int error = len < 0 || (len > 0 && !status) ? -EINVAL : fetch(node, &record);

    if (error)
        return client_result(error);
    word = node_record_word(&record);
    if (len > 0)
        memcpy(status, word, strlen(word) < (size_t)len ? strlen(word) + 1 : (size_t)len);
    return (int)strlen(word);
}

int bproc_nodesetstatus(int node, const char *status)
{
    return client_result(status ? node_set_word(node, status) : -EINVAL);
}

int bproc_nodeinfo(int node, struct bproc_node_info_t *info)
{
    node_record record;
    int error = info ? fetch(node, &record) : -EINVAL;

    if (!error)
        info_fill(info, &record);
    return client_result(error);
}

int _bproc_access(struct bproc_node_info_t *info, int mode)
{
    int is_up = info && strcmp(info->status, node_state_word(NODE_UP)) == 0;

    if (!info)
        return client_result(-EINVAL);
    return client_result(access_judge(mode, is_up, info->user, info->group, info->mode));
}

int bproc_nodelist(struct bproc_node_set_t *set)
{
    node_list_ret list;
    unsigned count;
    int error = set ? node_list_fetch(&list) : -EINVAL;

    if (error)
        return client_result(error);
    count = list.nodes.nodes_len;
    error = bproc_nodeset_grow(set, (int)count) < 0 ? -ENOMEM : 0;
    for (unsigned i = 0; !error && i < count; i++)
        info_fill(&set->node[i], &list.nodes.nodes_val[i]);
    if (!error)
        set->size = (int)count;
    node_list_free(&list);
    return client_result(error ? error : (int)count);
}

/* What the notifier holds is acknowledged first: a change that comes later makes it readable. */
int bproc_nodelist_(struct bproc_node_set_t *set, int fd)
{
    char bytes[256];
    ssize_t n;

    do {
        n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    } while (n > 0 || (n < 0 && errno == EINTR));
    if (n == 0)
        return client_result(-EIO);
    if (errno != EAGAIN)
        return -1;
    return bproc_nodelist(set);
}

int bproc_pidnode(int pid)
{
    int node;
    int error = proc_node(pid, &node);

    return error ? client_result(error) : node;
}
