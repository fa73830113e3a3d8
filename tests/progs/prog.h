/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the programs that system tests run on the nodes have in common. Each runs one case, named by
 * its first argument: it exits with 0, or says what was wrong and exits with 1. A remote child
 * does the same; its words come by its standard error.
 */
#ifndef TESTS_PROG_H
#define TESTS_PROG_H

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROG_UNUSED __attribute__((unused))
#define PATTERN_CHUNK 65536

struct prog_case {
    const char *name;
    void (*run)(int argc, char **argv);     /* what follows the name */
};

__attribute__((format(printf, 1, 2), noreturn))
static void die(const char *fmt, ...)
{
    char text[512];
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(text, sizeof(text) - 1, fmt, ap);
    va_end(ap);
    if (len > (int)sizeof(text) - 2)
        len = (int)sizeof(text) - 2;
    text[len++] = '\n';
    (void)!write(STDERR_FILENO, text, (size_t)len);
    _exit(1);
}

#define CHECK(condition, ...)                                                       \
    do {                                                                            \
        if (!(condition))                                                           \
            die(__VA_ARGS__);                                                       \
    } while (0)

/* A call that must not fail. */
#define MUST(call)                                                                  \
    do {                                                                            \
        if ((long)(call) < 0)                                                       \
            die("%s:%d: %s: %s", __FILE__, __LINE__, #call, strerror(errno));       \
    } while (0)

/* The pid, 0 in the child. */
PROG_UNUSED
static pid_t fork_onto(int node, int flags, int port)
{
    pid_t pid;

    fflush(stdout);
    pid = _bproc_rfork_io(node, flags, port);
    if (pid < 0)
        die("cannot fork onto node %d: %s", node, bproc_strerror(errno));
    return pid;
}

PROG_UNUSED
static pid_t fork_to(int node)
{
    return fork_onto(node, BPROC_DUMP_EXEC | BPROC_DUMP_OTHER, 0);
}

/* Waits for the child and wants just this end of it. */
PROG_UNUSED
static void child_expect(pid_t pid, int want)
{
    int status;

    MUST(waitpid(pid, &status, 0));
    CHECK(status == want, "child ended with wait status %#x, not %#x", (unsigned)status,
          (unsigned)want);
}

PROG_UNUSED
static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

PROG_UNUSED
static void write_all(int fd, const void *bytes, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = write(fd, (const char *)bytes + done, len - done);

        if (n < 0)
            die("cannot write to descriptor %d after %zu bytes: %s", fd, done, strerror(errno));
        done += (size_t)n;
    }
}

/* Bytes read; less than `len` only at the end. */
PROG_UNUSED
static size_t read_all(int fd, void *bytes, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = read(fd, (char *)bytes + done, len - done);

        if (n < 0)
            die("cannot read descriptor %d after %zu bytes: %s", fd, done, strerror(errno));
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return done;
}

PROG_UNUSED
static void text_expect(int fd, const char *want)
{
    char got[256] = "";
    size_t len = strlen(want), n = read_all(fd, got, len);

    CHECK(n == len && memcmp(got, want, len) == 0, "read '%s' from descriptor %d, not '%s'", got,
          fd, want);
}

PROG_UNUSED
static void end_expect(int fd)
{
    char byte;
    ssize_t n = read(fd, &byte, 1);

    CHECK(n == 0, "descriptor %d is not at its end: %zd, %s", fd, n,
          n < 0 ? strerror(errno) : "data");
}

/* Chunk number `chunk` of the stream named `seed`: bytes that tell their place. */
PROG_UNUSED
static void pattern_fill(uint64_t *words, uint64_t seed, uint64_t chunk)
{
    uint64_t state = seed * 0x9e3779b97f4a7c15u + chunk * PATTERN_CHUNK;

    for (size_t i = 0; i < PATTERN_CHUNK / sizeof(*words); i++) {
        uint64_t z = state + i * 0x9e3779b97f4a7c15u;

        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        words[i] = z ^ (z >> 31);
    }
}

/* Whole chunks only. */
PROG_UNUSED
static void pattern_write(int fd, uint64_t seed, uint64_t bytes)
{
    static uint64_t words[PATTERN_CHUNK / sizeof(uint64_t)];

    for (uint64_t chunk = 0; chunk < bytes / PATTERN_CHUNK; chunk++) {
        pattern_fill(words, seed, chunk);
        write_all(fd, words, PATTERN_CHUNK);
    }
}

PROG_UNUSED
static void pattern_expect(int fd, uint64_t seed, uint64_t bytes)
{
    static uint64_t words[PATTERN_CHUNK / sizeof(uint64_t)];
    static uint64_t got[PATTERN_CHUNK / sizeof(uint64_t)];

    for (uint64_t chunk = 0; chunk < bytes / PATTERN_CHUNK; chunk++) {
        size_t n = read_all(fd, got, PATTERN_CHUNK);

        CHECK(n == PATTERN_CHUNK, "descriptor %d ended after %llu bytes", fd,
              (unsigned long long)(chunk * PATTERN_CHUNK + n));
        pattern_fill(words, seed, chunk);
        CHECK(memcmp(words, got, PATTERN_CHUNK) == 0, "bytes %llu and on of descriptor %d differ",
              (unsigned long long)(chunk * PATTERN_CHUNK), fd);
    }
}

PROG_UNUSED
static int prog_run(const struct prog_case *cases, int argc, char **argv)
{
    for (; argc > 1 && cases->name; cases++) {
        if (strcmp(cases->name, argv[1]) == 0) {
            cases->run(argc - 2, argv + 2);
            return 0;
        }
    }
    fprintf(stderr, "usage: %s CASE [ARGUMENT]...\n", argv[0]);
    return 2;
}

#endif
