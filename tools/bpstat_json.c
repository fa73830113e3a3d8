/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tools/bpstat_json.h"
#include "tools/bpstat_proc.h"
#include "tools/idname.h"
#include "tools/json.h"
#include "tools/nodespec.h"

#define STATE_ANY (-1)

static bool is_in(const struct bproc_node_info_t *info, int state)
{
    return state == STATE_ANY || info->status == state;
}

/* Those in a state twice: as a list, and folded. */
static void set_json(struct json *json, const struct bproc_node_info_t *infos, size_t count,
                     int state)
{
    struct nodeset set = { 0 };
    char *folded;

    for (size_t i = 0; i < count; i++)
        if (is_in(&infos[i], state))
            nodeset_push(&set, infos[i].node);
    folded = nodeset_fold(&set);
    json_ints(json, "nodes", set.nodes, set.count);
    json_string(json, "nodeset", folded);
    free(folded);
    nodeset_free(&set);
}

static void state_json(struct json *json, const struct bproc_node_info_t *infos, size_t count,
                       int state)
{
    size_t first = 0;

    while (first < count && !is_in(&infos[first], state))
        first++;
    if (first == count)
        return;
    json_object(json, NULL);
    json_string(json, "state", nodelang_state_name(state));
    set_json(json, infos, count, state);
    json_close(json);
}

static void info_json(struct json *json, const struct bproc_node_info_t *info)
{
    struct in_addr addr = { .s_addr = info->addr };
    char name[16] = "master", mode[8], address[INET_ADDRSTRLEN];

    if (info->node != BPROC_NODE_MASTER)
        snprintf(name, sizeof(name), "n%d", info->node);
    snprintf(mode, sizeof(mode), "%04o", (unsigned)info->mode & 0777u);
    inet_ntop(AF_INET, &addr, address, sizeof(address));
    json_object(json, NULL);
    json_int(json, "node", info->node);
    json_string(json, "name", name);
    json_string(json, "state", nodelang_state_name(info->status));
    json_string(json, "address", info->addr ? address : NULL);
    json_string(json, "mode", mode);
    json_string(json, "user", idname_user(info->uid));
    json_int(json, "uid", info->uid);
    json_string(json, "group", idname_group(info->gid));
    json_int(json, "gid", info->gid);
    json_close(json);
}

void nodes_json(const struct bproc_node_info_t *infos, size_t count)
{
    struct json json;

    json_begin(&json, stdout);
    json_int(&json, "time", time(NULL));
    set_json(&json, infos, count, STATE_ANY);
    json_list(&json, "states");
    for (int state = 0; state < BPROC_NODE_NSTATES; state++)
        state_json(&json, infos, count, state);
    json_close(&json);
    json_list(&json, "node_info");
    for (size_t i = 0; i < count; i++)
        info_json(&json, &infos[i]);
    json_end(&json);
}

int procs_json(const struct nodeset *set)
{
    struct bproc_proc_info_t *procs;
    int count = procs_load(&procs);
    struct json json;

    if (count < 0)
        return count;
    json_begin(&json, stdout);
    json_int(&json, "time", time(NULL));
    json_list(&json, "processes");
    for (int i = 0; i < count; i++) {
        if (set && !nodeset_has(set, procs[i].node))
            continue;
        json_object(&json, NULL);
        json_int(&json, "pid", procs[i].pid);
        json_int(&json, "node", procs[i].node);
        json_close(&json);
    }
    json_end(&json);
    free(procs);
    return 0;
}
