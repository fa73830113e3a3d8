/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tools/bpcp_bar.h"

#define INTERVAL_MS 250
#define BAR_WIDTH 24

static double seconds_between(const struct timespec *from, const struct timespec *to)
{
    return (double)(to->tv_sec - from->tv_sec) + (double)(to->tv_nsec - from->tv_nsec) / 1e9;
}

static void size_format(char *text, size_t len, double bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
    size_t unit = 0;

    while (bytes >= 1000 && unit + 1 < sizeof(units) / sizeof(*units)) {
        bytes /= 1024;
        unit++;
    }
    snprintf(text, len, bytes < 10 && unit > 0 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
}

static void duration_format(char *text, size_t len, double seconds)
{
    unsigned long whole = (unsigned long)(seconds + 0.5);

    if (whole >= 3600)
        snprintf(text, len, "%lu:%02lu:%02lu", whole / 3600, whole / 60 % 60, whole % 60);
    else
        snprintf(text, len, "%lu:%02lu", whole / 60, whole % 60);
}

void bar_format(char *text, size_t len, uint64_t done, uint64_t total, double seconds)
{
    char bar[BAR_WIDTH + 1] = "", size[16], rate[16], left[24] = "-:--";
    double part = total > 0 ? (double)done / (double)total : 0;

    /* Names and modes travel too, so there may be a little more than files hold. */
    part = part > 1 ? 1 : part;
    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', (size_t)(part * BAR_WIDTH));
    size_format(size, sizeof(size), (double)done);
    size_format(rate, sizeof(rate), seconds > 0 ? (double)done / seconds : 0);
    if (total > 0 && done > 0)
        duration_format(left, sizeof(left), seconds * (1 - part) / part);
    snprintf(text, len, "%3d%% [%s] %9s %9s/s %7s left", (int)(part * 100), bar, size, rate, left);
}

static void line_draw(struct bar *bar, const struct timespec *now)
{
    char text[128];

    bar_format(text, sizeof(text), bar->past + bar->done, bar->total,
                    seconds_between(&bar->start, now));
    fprintf(stderr, "\r%s\033[K", text);
    fflush(stderr);
    bar->last = *now;
    bar->shown = true;
}

void bar_start(struct bar *bar, bool wanted)
{
    *bar = (struct bar) { .wanted = wanted };
    clock_gettime(CLOCK_MONOTONIC, &bar->start);
    bar->last = bar->start;
}

void bar_show(struct bar *bar, uint64_t done, uint64_t total)
{
    struct timespec now;

    bar->done = done;
    if (total > 0)
        bar->total = bar->past + total;
    if (!bar->wanted)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (seconds_between(&bar->last, &now) * 1000 >= INTERVAL_MS)
        line_draw(bar, &now);
}

int bar_timeout(const struct bar *bar)
{
    return bar->wanted ? INTERVAL_MS : -1;
}

void bar_next(struct bar *bar)
{
    bar->past += bar->done;
    bar->done = 0;
}

void bar_end(struct bar *bar)
{
    struct timespec now;

    if (!bar->wanted)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    line_draw(bar, &now);
    fputc('\n', stderr);
}
