/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/nodeload.h"

static void load_read(node_usage *usage)
{
    double load[3];

    if (getloadavg(load, 3) != 3)
        return;
    for (int i = 0; i < 3; i++)
        usage->load[i] = (unsigned)(load[i] * 100 + 0.5);
}

static void memory_read(node_usage *usage)
{
    FILE *file = fopen("/proc/meminfo", "re");
    char line[128];
    uint64_t kib;

    while (file && fgets(line, sizeof(line), file)) {
        if (sscanf(line, "MemTotal: %" SCNu64, &kib) == 1)
            usage->memory = kib * 1024;
        else if (sscanf(line, "MemAvailable: %" SCNu64, &kib) == 1)
            usage->available = kib * 1024;
    }
    if (file)
        fclose(file);
}

/* All but idle and waiting for disks; guests are within user time already. */
static void busy_read(node_usage *usage)
{
    FILE *file = fopen("/proc/stat", "re");
    uint64_t user, nice, system, idle, iowait, irq, softirq, steal, busy;

    if (file && fscanf(file, "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
                       " %" SCNu64 " %" SCNu64 " %" SCNu64, &user, &nice, &system, &idle, &iowait,
                       &irq, &softirq, &steal) == 8) {
        busy = user + nice + system + irq + softirq + steal;
        usage->busy_ms = busy * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
    }
    if (file)
        fclose(file);
}

void nodeload_read(node_usage *usage)
{
    struct timespec now;
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    usage->cpus = cpus > 0 ? (unsigned)cpus : 0;
    if (clock_gettime(CLOCK_BOOTTIME, &now) == 0)
        usage->uptime_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    load_read(usage);
    memory_read(usage);
    busy_read(usage);
}
