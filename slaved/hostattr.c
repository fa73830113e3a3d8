/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/nodeload.h"
#include "slaved/hostattr.h"

#define NUMBER_ROOM 24

/* Of the first processor. A virtual one may tell only what it runs at now. */
static uint64_t clock_read(void)
{
    FILE *file = fopen("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "re");
    uint64_t khz = 0;
    char line[256];
    double mhz = 0;

    if (file && fscanf(file, "%" SCNu64, &khz) != 1)
        khz = 0;
    if (file)
        fclose(file);
    file = khz ? NULL : fopen("/proc/cpuinfo", "re");
    while (file && mhz <= 0 && fgets(line, sizeof(line), file))
        if (sscanf(line, "cpu MHz : %lf", &mhz) != 1)
            mhz = 0;
    if (file)
        fclose(file);
    return khz ? khz * 1000 : (uint64_t)(mhz * 1e6);
}

unsigned hostattr_fill(node_attr *list)
{
    static const char *const names[HOSTATTR_COUNT] = { "bproc.cpus", "bproc.hz", "bproc.mem" };
    static char texts[HOSTATTR_COUNT][NUMBER_ROOM];
    node_usage usage = { .node = 0 };
    unsigned count = 0;

    nodeload_read(&usage);
    for (unsigned i = 0; i < HOSTATTR_COUNT; i++) {
        uint64_t number = i == 0 ? usage.cpus : i == 1 ? clock_read() : usage.memory;

        if (number == 0)
            continue;
        snprintf(texts[i], NUMBER_ROOM, "%" PRIu64, number);
        list[count].name = (char *)(uintptr_t)names[i];
        list[count].value.value_len = (unsigned)strlen(texts[i]);
        list[count++].value.value_val = texts[i];
    }
    return count;
}
