/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/bpcp_report.h"

#define STATUS_MOST 254

void report_error(struct report *report, const char *format, ...)
{
    char text[PIPE_BUF];
    size_t used = (size_t)snprintf(text, sizeof(text), "bpcp: %s", report->label);
    va_list args;
    int more;

    va_start(args, format);
    more = vsnprintf(text + used, sizeof(text) - used, format, args);
    va_end(args);
    used += more > 0 ? (size_t)more : 0;
    if (used > sizeof(text) - 1)
        used = sizeof(text) - 1;
    text[used++] = '\n';
    report->errors++;
    /* If nobody listens, the count still tells. */
    while (used > 0) {
        ssize_t n = write(STDERR_FILENO, text, used);

        if (n <= 0)
            return;
        used -= (size_t)n;
        memmove(text, text + n, used);
    }
}

int report_status(unsigned errors)
{
    return errors > STATUS_MOST ? STATUS_MOST : (int)errors;
}
