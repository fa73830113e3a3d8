/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "config.h"

#include "lab/die.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

_Noreturn void die(int status, const char *format, ...)
{
    char line[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    dprintf(STDERR_FILENO, "bplab: %s\n", line);
    _exit(status);
}
