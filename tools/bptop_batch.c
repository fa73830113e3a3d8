/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/bptop_batch.h"
#include "tools/bptop_format.h"
#include "tools/json.h"
#include "tools/nodespec.h"

static void line_print(const char *text, const char *color)
{
    char line[FORMAT_MAX];

    format_fit(line, sizeof(line), text, INT_MAX);
    printf("%s%s%s\n", color, line, *color ? TOOL_PLAIN : "");
}

void batch_print(const struct sample *sample, const struct picture *picture,
                 const struct view *view, bool color)
{
    const char *heading = color ? TOOL_BOLD : "";
    char line[FORMAT_MAX];

    format_summary(line, picture, view, sample->when);
    line_print(line, "");
    if (!view->no_nodes) {
        putchar('\n');
        line_print(format_node_header, heading);
    }
    for (size_t i = 0; !view->no_nodes && i < picture->node_count; i++) {
        format_node(line, picture->nodes[i]);
        line_print(line, "");
    }
    putchar('\n');
    line_print(format_proc_header, heading);
    for (size_t i = 0; i < picture->proc_count; i++) {
        format_proc(line, picture->procs[i]);
        line_print(line, "");
    }
}

static void node_json(struct json *json, const struct top_node *node)
{
    const struct bproc_usage_t *usage = node->usage;

    json_object(json, NULL);
    json_int(json, "node", node->node);
    json_string(json, "state", nodelang_state_name(node->state));
    if (usage) {
        json_int(json, "cpus", usage->cpus);
        json_real(json, "cpu_percent", node->cpu);
        json_list(json, "load");
        for (int i = 0; i < 3; i++)
            json_real(json, NULL, usage->load[i]);
        json_close(json);
        json_int(json, "memory", (int64_t)usage->memory);
        json_int(json, "available", (int64_t)usage->available);
        json_int(json, "uptime", (int64_t)(usage->uptime_ms / 1000));
        json_int(json, "processes", usage->processes);
    }
    json_close(json);
}

static void proc_json(struct json *json, const struct top_proc *proc)
{
    const struct bproc_proc_usage_t *usage = proc->usage;
    const char state[] = { usage->state, '\0' };

    json_object(json, NULL);
    json_int(json, "pid", usage->pid);
    json_int(json, "ppid", usage->ppid);
    json_int(json, "node", proc->node);
    json_string(json, "user", proc->user);
    json_int(json, "uid", usage->uid);
    json_string(json, "state", state);
    json_int(json, "nice", usage->nice);
    json_int(json, "threads", usage->threads);
    json_real(json, "cpu_percent", proc->cpu);
    json_real(json, "cpu_seconds", (double)usage->cpu_ms / 1000);
    json_real(json, "age_seconds", (double)usage->age_ms / 1000);
    json_real(json, "memory_percent", proc->memory);
    json_int(json, "rss", (int64_t)usage->rss);
    json_string(json, "command", usage->command);
    json_close(json);
}

static void nodes_json(struct json *json, const struct picture *picture)
{
    struct nodeset set = { 0 };
    char *folded;

    for (size_t i = 0; i < picture->node_count; i++)
        nodeset_push(&set, picture->nodes[i]->node);
    folded = nodeset_fold(&set);
    json_ints(json, "nodes", set.nodes, set.count);
    json_string(json, "nodeset", folded);
    free(folded);
    nodeset_free(&set);
    json_list(json, "node_usage");
    for (size_t i = 0; i < picture->node_count; i++)
        node_json(json, picture->nodes[i]);
    json_close(json);
}

void batch_json(const struct sample *sample, const struct picture *picture,
                const struct view *view)
{
    struct json json;

    json_begin(&json, stdout);
    json_int(&json, "time", sample->when);
    if (!view->no_nodes)
        nodes_json(&json, picture);
    json_list(&json, "processes");
    for (size_t i = 0; i < picture->proc_count; i++)
        proc_json(&json, picture->procs[i]);
    json_end(&json);
}
