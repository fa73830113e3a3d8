/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "tools/bptop_format.h"
#include "tools/nodespec.h"

const char format_node_header[] =
    "NODE   STATE        CPU%  LOAD1  LOAD5 LOAD15 CPUS  MEM% MEMORY PROCS     UPTIME";
const char format_proc_header[] =
    "    PID NODE   USER      NI S   CPU%  MEM%     RSS      TIME COMMAND";

/* As 812K, 1.6M, 24.1G. */
static const char *size_format(char text[16], uint64_t bytes)
{
    static const char units[] = "BKMGTPE";
    double size = (double)bytes;
    int unit = 0;

    for (; size >= 999.5 && units[unit + 1]; unit++)
        size /= 1024;
    snprintf(text, 16, unit > 1 ? "%.1f%c" : "%.0f%c", size, units[unit]);
    return text;
}

/* As 0:03.52, 75:12.00, 26h12:05. */
static const char *time_format(char text[24], uint64_t ms)
{
    uint64_t seconds = ms / 1000;

    if (seconds < 6000)
        snprintf(text, 24, "%" PRIu64 ":%02d.%02d", seconds / 60, (int)(seconds % 60),
                 (int)(ms % 1000 / 10));
    else
        snprintf(text, 24, "%" PRIu64 "h%02d:%02d", seconds / 3600, (int)(seconds / 60 % 60),
                 (int)(seconds % 60));
    return text;
}

/* As 3d 04:17. */
static const char *uptime_format(char text[24], uint64_t ms)
{
    uint64_t minutes = ms / 60000;

    snprintf(text, 24, "%" PRIu64 "d %02d:%02d", minutes / 1440, (int)(minutes / 60 % 24),
             (int)(minutes % 60));
    return text;
}

static const char *node_name(char text[16], int node)
{
    if (node == BPROC_NODE_MASTER)
        return "master";
    snprintf(text, 16, "n%d", node);
    return text;
}

/* Of more processes than are told about only the number is known, whoever's they are. */
static int processes_count(const struct picture *picture, const struct view *view)
{
    int count = 0;

    if (*view->user)
        return (int)picture->proc_count;
    for (size_t i = 0; i < picture->node_count; i++)
        if (picture->nodes[i]->usage)
            count += picture->nodes[i]->usage->processes;
    return count;
}

void format_summary(char line[FORMAT_MAX], const struct picture *picture, const struct view *view,
                    time_t when)
{
    int up = 0, known = 0;
    uint64_t memory = 0, available = 0;
    char used[16], all[16], clock[16] = "";
    double cpu = 0, cpus = 0;
    struct tm tm;

    for (size_t i = 0; i < picture->node_count; i++) {
        const struct top_node *node = picture->nodes[i];

        if (node->node == BPROC_NODE_MASTER)
            continue;
        known++;
        up += node->state == bproc_node_up;
        if (!node->usage)
            continue;
        memory += node->usage->memory;
        available += node->usage->available;
        cpu += node->cpu * node->usage->cpus;
        cpus += node->usage->cpus;
    }
    if (localtime_r(&when, &tm))
        strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
    snprintf(line, FORMAT_MAX, "%s, %d of %d nodes up, %d processes, CPU %.0f%%, memory %s of %s",
             clock, up, known, processes_count(picture, view), cpus > 0 ? cpu / cpus : 0,
             size_format(used, memory - available), size_format(all, memory));
}

void format_node(char line[FORMAT_MAX], const struct top_node *node)
{
    const struct bproc_usage_t *usage = node->usage;
    char name[16], memory[16], uptime[24];
    int used = snprintf(line, FORMAT_MAX, "%-6s %-11s ", node_name(name, node->node),
                        nodelang_state_name(node->state));

    if (!usage) {
        snprintf(line + used, FORMAT_MAX - (size_t)used, "%5s %6s %6s %6s %4s %5s %6s %5s %10s",
                 "-", "-", "-", "-", "-", "-", "-", "-", "-");
        return;
    }
    snprintf(line + used, FORMAT_MAX - (size_t)used,
             "%5.1f %6.2f %6.2f %6.2f %4d %5.1f %6s %5d %10s", node->cpu, usage->load[0],
             usage->load[1], usage->load[2], usage->cpus, node->memory,
             size_format(memory, usage->memory), usage->processes,
             uptime_format(uptime, usage->uptime_ms));
}

void format_proc(char line[FORMAT_MAX], const struct top_proc *proc)
{
    const struct bproc_proc_usage_t *usage = proc->usage;
    char name[16], rss[16], time[24];

    snprintf(line, FORMAT_MAX, "%7d %-6s %-9.9s %2d %c %6.1f %5.1f %7s %9s %s", usage->pid,
             node_name(name, proc->node), proc->user, usage->nice, usage->state, proc->cpu,
             proc->memory, size_format(rss, usage->rss), time_format(time, usage->cpu_ms),
             usage->command);
}

void format_fit(char *line, size_t len, const char *text, int columns)
{
    mbstate_t state = { 0 };
    size_t at = 0, left = strlen(text);

    while (left > 0 && columns > 0 && at + 1 < len) {
        wchar_t wide = L'?';
        size_t bytes = mbrtowc(&wide, text, left, &state);
        int width = bytes > 0 && bytes <= left && iswprint((wint_t)wide) ? wcwidth(wide) : -1;

        if (width < 0) {
            memset(&state, 0, sizeof(state));
            line[at++] = '?';
            bytes = width = 1;
        } else if (width > columns || at + bytes >= len) {
            break;
        } else {
            memcpy(line + at, text, bytes);
            at += bytes;
        }
        text += bytes;
        left -= bytes;
        columns -= width;
    }
    line[at] = '\0';
}
