/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run as data, for --json and --dry-run; bpsh(1) has the keys. */
#ifndef TOOLS_BPSH_REPORT_H
#define TOOLS_BPSH_REPORT_H

#include "tools/bpsh_loop.h"

/* The run, over or not begun, as one JSON object on stdout. 0 or -errno. */
int report_json(const struct run *run, int64_t start);

/* A line for each task that would run: "3: /bin/echo 'a b'", only the number without a command. */
void report_plan(const struct run *run);

#endif
