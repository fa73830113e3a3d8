/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "libbproc/client.h"
#include "tools/bpstat_metrics.h"
#include "tools/nodespec.h"

static void metric_begin(const char *name, const char *type, const char *help)
{
    printf("# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void nodes_print(const struct tool_nodes *table)
{
    metric_begin("bproc_nodes", "gauge", "Nodes by state.");
    for (int state = 0; state < BPROC_NODE_NSTATES; state++) {
        int count = 0;

        for (int i = 0; i < table->count; i++)
            count += table->list[i].status == state;
        printf("bproc_nodes{state=\"%s\"} %d\n", nodelang_state_name(state), count);
    }
}

static int processes_print(const struct tool_nodes *table)
{
    struct bproc_proc_info_t *procs;
    int count = bproc_proclist(BPROC_NODE_ANY, &procs);

    if (count < 0)
        return -errno;
    metric_begin("bproc_processes", "gauge", "Processes that run on a node for the master.");
    for (int i = 0; i < table->count; i++) {
        int here = 0;

        for (int k = 0; k < count; k++)
            here += procs[k].node == table->list[i].node;
        printf("bproc_processes{node=\"%d\"} %d\n", table->list[i].node, here);
    }
    free(procs);
    return 0;
}

static void histogram_print(const stats_ret *stats)
{
    metric_begin("bproc_migration_seconds", "histogram",
                 "Time that successful migrations took.");
    for (unsigned i = 0; i < stats->limits.limits_len && i < stats->buckets.buckets_len; i++)
        printf("bproc_migration_seconds_bucket{le=\"%g\"} %" PRIu64 "\n",
               stats->limits.limits_val[i] / 1e6, (uint64_t)stats->buckets.buckets_val[i]);
    printf("bproc_migration_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n", (uint64_t)stats->ok);
    printf("bproc_migration_seconds_sum %.6f\n", (double)stats->usec / 1e6);
    printf("bproc_migration_seconds_count %" PRIu64 "\n", (uint64_t)stats->ok);
}

static int migrations_print(void)
{
    stats_ret stats;
    int error = client_call(P_STATS, NULL, NULL, FRAME_XDR(stats_ret), &stats, sizeof(stats));

    if (error)
        return error;
    metric_begin("bproc_start_time_seconds", "gauge", "When the master's daemon was started.");
    printf("bproc_start_time_seconds %" PRId64 "\n", (int64_t)stats.started);
    metric_begin("bproc_migrations_total", "counter",
                 "Processes that were sent to a node, or should have been.");
    printf("bproc_migrations_total{result=\"ok\"} %" PRIu64 "\n", (uint64_t)stats.ok);
    printf("bproc_migrations_total{result=\"failed\"} %" PRIu64 "\n", (uint64_t)stats.failed);
    histogram_print(&stats);
    metric_begin("bproc_migration_bytes_total", "counter", "Bytes of the images of processes.");
    printf("bproc_migration_bytes_total %" PRIu64 "\n", (uint64_t)stats.bytes);
    frame_free(FRAME_XDR(stats_ret), &stats, sizeof(stats));
    return 0;
}

static double cpus_value(const struct bproc_usage_t *usage)
{
    return usage->cpus;
}

static double cpu_value(const struct bproc_usage_t *usage)
{
    return (double)usage->busy_ms / 1000;
}

static double load_value(const struct bproc_usage_t *usage)
{
    return usage->load[0];
}

static double memory_value(const struct bproc_usage_t *usage)
{
    return (double)usage->memory;
}

static double available_value(const struct bproc_usage_t *usage)
{
    return (double)usage->available;
}

static int usage_print(void)
{
    static const struct {
        const char *name, *type, *help;
        int decimals;
        double (*value)(const struct bproc_usage_t *usage);
    } metrics[] = {
        { "bproc_node_cpus", "gauge", "CPUs of a node.", 0, cpus_value },
        { "bproc_node_cpu_seconds_total", "counter", "Time its CPUs were busy.", 3,
          cpu_value },
        { "bproc_node_load1", "gauge", "Load average over a minute.", 2, load_value },
        { "bproc_node_memory_bytes", "gauge", "Memory of a node.", 0, memory_value },
        { "bproc_node_memory_available_bytes", "gauge", "What of it is available.", 0,
          available_value }
    };
    struct bproc_usage_t *usage;
    int count = bproc_usage(BPROC_NODE_ANY, &usage);

    if (count < 0)
        return -errno;
    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        metric_begin(metrics[i].name, metrics[i].type, metrics[i].help);
        for (int k = 0; k < count; k++)
            printf("%s{node=\"%d\"} %.*f\n", metrics[i].name, usage[k].node,
                   metrics[i].decimals, metrics[i].value(&usage[k]));
    }
    free(usage);
    return 0;
}

int metrics_print(const struct tool_nodes *table)
{
    int error;

    nodes_print(table);
    error = processes_print(table);
    if (!error)
        error = migrations_print();
    return error ? error : usage_print();
}
