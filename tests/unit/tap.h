/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Test Anything Protocol for the unit tests. A test program is one C file that calls these
 * and ends with `return done_testing();`. All print to stdout, at once; none blocks.
 */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_count;
static int tap_failed;
static int tap_planned;

/* Reports one case under a printf-style name. Returns CONDITION, so that a test can stop early. */
__attribute__((format(printf, 4, 5), unused))
static bool tap_report(bool condition, const char *file, int line, const char *name, ...)
{
    va_list args;

    printf("%sok %d - ", condition ? "" : "not ", ++tap_count);
    va_start(args, name);
    vprintf(name, args);
    va_end(args);
    putchar('\n');
    if (!condition) {
        tap_failed++;
        printf("# failed at %s:%d\n", file, line);
    }
    fflush(stdout);
    return condition;
}

/* Prints what differs below a failed comparison. */
__attribute__((format(printf, 1, 2), unused))
static void diag(const char *text, ...)
{
    va_list args;

    fputs("# ", stdout);
    va_start(args, text);
    vprintf(text, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

#define ok(condition, ...) tap_report(condition, __FILE__, __LINE__, __VA_ARGS__)
#define is_int(got, want, ...) tap_is_int(got, want, __FILE__, __LINE__, __VA_ARGS__)
#define is_str(got, want, ...) tap_is_str(got, want, __FILE__, __LINE__, __VA_ARGS__)

#define tap_is_int(got, want, file, line, ...)                                      \
    do {                                                                            \
        long long tap_got = (long long) (got), tap_want = (long long) (want);       \
        if (!tap_report(tap_got == tap_want, file, line, __VA_ARGS__))              \
            diag("got %lld, want %lld", tap_got, tap_want);                         \
    } while (0)

/* NULL equals only NULL. */
#define tap_is_str(got, want, file, line, ...)                                      \
    do {                                                                            \
        const char *tap_got = (got), *tap_want = (want);                            \
        bool tap_same = tap_got == tap_want ||                                      \
            (tap_got != NULL && tap_want != NULL && strcmp(tap_got, tap_want) == 0);\
        if (!tap_report(tap_same, file, line, __VA_ARGS__))                         \
            diag("got '%s', want '%s'", tap_got != NULL ? tap_got : "(null)",       \
                tap_want != NULL ? tap_want : "(null)");                            \
    } while (0)

/* Announces the number of cases beforehand; done_testing() then announces none. */
__attribute__((unused))
static void plan(int count)
{
    tap_planned = count;
    printf("1..%d\n", count);
    fflush(stdout);
}

/* Ends the program: none of its cases can be tried here. */
__attribute__((noreturn, unused))
static void skip_all(const char *reason)
{
    printf("1..0 # SKIP %s\n", reason);
    exit(0);
}

/* Prints the plan and returns main's exit status. */
__attribute__((unused))
static int done_testing(void)
{
    if (tap_planned == 0)
        printf("1..%d\n", tap_count);
    fflush(stdout);
    return tap_failed != 0 || (tap_planned != 0 && tap_planned != tap_count);
}

#endif
