/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Typing at a terminal and reading what it shows. */
#ifndef BPROC_TEST_TERMINAL_H
#define BPROC_TEST_TERMINAL_H

#include <poll.h>
#include <pty.h>

#include "tests/progs/remote.h"

#define TRANSCRIPT 65536

static int terminal;
static char screen[TRANSCRIPT];
static size_t screen_len;

/* What was shown within `ms`, or until nothing more can come; it is added to the screen. */
static size_t screen_read(int ms)
{
    struct pollfd fd = { .fd = terminal, .events = POLLIN };
    ssize_t n = 0;

    if (screen_len > TRANSCRIPT / 2)
        screen_len = 0;
    if (poll(&fd, 1, ms) == 1)
        n = read(terminal, screen + screen_len, TRANSCRIPT - 1 - screen_len);
    if (n > 0)
        screen_len += (size_t)n;
    screen[screen_len] = '\0';
    return n > 0 ? (size_t)n : 0;
}

/* Waits at most ten seconds for `text` to be shown; what comes after it stays for the next. */
static bool shows(const char *text)
{
    double end = seconds_now() + 10;
    char *found;

    while (!(found = strstr(screen, text)) && seconds_now() < end)
        screen_read(100);
    if (!found) {
        diag("no '%s' in: %s", text, screen);
        return false;
    }
    found += strlen(text);
    screen_len -= (size_t)(found - screen);
    memmove(screen, found, screen_len + 1);
    return true;
}

static void type(const char *text)
{
    (void)!write(terminal, text, strlen(text));
}

__attribute__((unused))
static bool is_quiet(void)
{
    do {
        screen_len = 0;
    } while (screen_read(0) > 0);
    return screen_read(300) == 0;
}

/* An interactive shell at a terminal of its own: its pid. */
static int shell_start(void)
{
    int shell = forkpty(&terminal, NULL, NULL, NULL);

    if (shell != 0)
        return shell;
    setenv("PS1", "ready> ", 1);
    setenv("TERM", "dumb", 1);
    unsetenv("PROMPT_COMMAND");
    execlp("bash", "bash", "--norc", "--noprofile", "--noediting", "-i", (char *)NULL);
    _exit(127);
}

#endif
