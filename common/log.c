/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>
#include <event2/event.h>

#include "common/log.h"

#define LINE_MAX_BYTES 2048

static struct {
    const char *program;
    int to_stderr;
    int terminal;
    int verbose;
} log_state = { .program = "bproc", .to_stderr = 1, .terminal = 1 };

/* A peer's text must not be able to forge a line or drive a terminal. */
static void text_escape(const char *in, char *out, size_t len)
{
    size_t at = 0;

    for (; *in && at + 5 < len; in++) {
        unsigned char c = (unsigned char)*in;

        if (c < 0x20 || c == 0x7f)
            at += (size_t)snprintf(out + at, len - at, "\\x%02x", c);
        else
            out[at++] = *in;
    }
    out[at] = '\0';
}

static void line_write(int priority, const char *line)
{
    if (!log_state.to_stderr)
        syslog(priority, "%s", line);
    else if (log_state.terminal)
        fprintf(stderr, "%s: %s\n", log_state.program, line);
    else
        fprintf(stderr, "<%d>%s: %s\n", priority, log_state.program, line);
}

__attribute__((format(printf, 3, 0)))
static void line_log(int priority, int error, const char *fmt, va_list args)
{
    char raw[LINE_MAX_BYTES], line[LINE_MAX_BYTES];
    int saved = errno;
    size_t at;

    vsnprintf(raw, sizeof(raw), fmt, args);
    at = strlen(raw);
    if (error)
        snprintf(raw + at, sizeof(raw) - at, ": %s", strerror(error));
    text_escape(raw, line, sizeof(line));
    line_write(priority, line);
    errno = saved;
}

static void event_message(int severity, const char *text)
{
    if (severity == EVENT_LOG_DEBUG)
        log_debug("libevent: %s", text);
    else
        log_warnx("libevent: %s", text);
}

static void event_failed(int error)
{
    fatalx("libevent gave up with code %d", error);
}

void log_init(const char *program, int foreground, int facility, int verbose)
{
    log_state.program = program;
    log_state.to_stderr = foreground && facility == 0;
    log_state.terminal = isatty(STDERR_FILENO);
    log_state.verbose = verbose;
    if (!log_state.to_stderr)
        openlog(program, LOG_PID | LOG_NDELAY, facility ? facility : LOG_DAEMON);
    event_set_log_callback(event_message);
    event_set_fatal_callback(event_failed);
}

void log_warn(const char *fmt, ...)
{
    int error = errno;
    va_list args;

    va_start(args, fmt);
    line_log(LOG_WARNING, error, fmt, args);
    va_end(args);
}

void log_warnx(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    line_log(LOG_WARNING, 0, fmt, args);
    va_end(args);
}

void log_info(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    line_log(LOG_INFO, 0, fmt, args);
    va_end(args);
}

void log_debug(const char *fmt, ...)
{
    va_list args;

    if (!log_state.verbose)
        return;
    va_start(args, fmt);
    line_log(LOG_DEBUG, 0, fmt, args);
    va_end(args);
}

void fatal(const char *fmt, ...)
{
    int error = errno;
    va_list args;

    va_start(args, fmt);
    line_log(LOG_CRIT, error, fmt, args);
    va_end(args);
    exit(1);
}

void fatalx(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    line_log(LOG_CRIT, 0, fmt, args);
    va_end(args);
    exit(1);
}

void log_limited(struct log_limit *limit, unsigned burst, const char *fmt, ...)
{
    struct timespec now;
    int64_t minute;
    va_list args;

    clock_gettime(CLOCK_MONOTONIC, &now);
    minute = now.tv_sec / 60 + 1;
    if (limit->minute != minute) {
        if (limit->count > burst)
            log_warnx("%u messages like the next were left out", limit->count - burst);
        limit->minute = minute;
        limit->count = 0;
    }
    if (limit->count++ >= burst)
        return;
    va_start(args, fmt);
    line_log(LOG_WARNING, 0, fmt, args);
    va_end(args);
}

int log_facility(const char *name)
{
    static const struct { const char *name; int number; } table[] = {
        { "daemon", LOG_DAEMON }, { "user", LOG_USER }, { "auth", LOG_AUTH },
        { "authpriv", LOG_AUTHPRIV }, { "cron", LOG_CRON }, { "syslog", LOG_SYSLOG },
        { "local0", LOG_LOCAL0 }, { "local1", LOG_LOCAL1 }, { "local2", LOG_LOCAL2 },
        { "local3", LOG_LOCAL3 }, { "local4", LOG_LOCAL4 }, { "local5", LOG_LOCAL5 },
        { "local6", LOG_LOCAL6 }, { "local7", LOG_LOCAL7 },
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (strcmp(name, table[i].name) == 0)
            return table[i].number;
    return -1;
}
