/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ghost_terminal NODE JOB: an interactive shell at a terminal runs JOB NODE, see ghost_job.c, and
 * somebody types Ctrl-C, Ctrl-Z, fg, bg and kill.
 */
#include "config.h"

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

static bool is_quiet(void)
{
    do {
        screen_len = 0;
    } while (screen_read(0) > 0);
    return screen_read(300) == 0;
}

static void shell_run(void)
{
    setenv("PS1", "ready> ", 1);
    setenv("TERM", "dumb", 1);
    unsetenv("PROMPT_COMMAND");
    execlp("bash", "bash", "--norc", "--noprofile", "--noediting", "-i", (char *)NULL);
    _exit(127);
}

int main(int argc, char **argv)
{
    char command[4096];
    int shell, status;

    remote_node(argc, argv);
    snprintf(command, sizeof(command), "%s %s\n", argc > 2 ? argv[2] : "", argv[1]);
    shell = forkpty(&terminal, NULL, NULL, NULL);
    if (shell == 0)
        shell_run();
    ok(shows("ready> "), "a shell at a terminal");
    type(command);
    ok(shows(".........."), "its job has a child on the node");
    type("\003");
    ok(shows("ended: 2"), "Ctrl-C interrupts the child");
    ok(shows("ready> "), "and the job is done");
    type(command);
    ok(shows(".........."), "another");
    type("\034");
    ok(shows("ended: 3") || shows("ended: 131"), "Ctrl-\\ makes it quit");
    shows("ready> ");
    type(command);
    ok(shows(".........."), "another");
    type("\032");
    ok(shows("Stopped"), "Ctrl-Z stops the job");
    ok(eventually(is_quiet()), "and the child");
    type("jobs -l\n");
    ok(shows("Stopped"), "the shell knows");
    type("bg\n");
    ok(shows(".........."), "bg lets it go on");
    type("fg\n");
    ok(shows(".........."), "fg brings it back");
    type("\032");
    ok(shows("Stopped"), "Ctrl-Z stops it again");
    ok(eventually(is_quiet()), "the child, too");
    type("fg\n");
    ok(shows(".........."), "fg lets it go on");
    type("\003");
    ok(shows("ended: 2"), "Ctrl-C interrupts it");
    shows("ready> ");
    type("exit\n");
    is_int(wait_bounded(shell, &status, 0), shell, "the shell ends");
    return done_testing();
}
