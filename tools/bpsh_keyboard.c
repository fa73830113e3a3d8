/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/bpsh_keyboard.h"
#include "tools/tool.h"

/* A description of its own, as others rely on the flags of theirs. */
static int terminal_open(void)
{
    char path[64];

    /* The far side of a terminal has no name: its device makes another one. */
    if (ttyname_r(STDIN_FILENO, path, sizeof(path)) != 0)
        return -1;
    return open("/proc/self/fd/0", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void keyboard_open(struct keyboard *keyboard)
{
    *keyboard = (struct keyboard) { .fd = STDIN_FILENO, .terminal = isatty(STDIN_FILENO) };
    if (keyboard->terminal && (fcntl(STDIN_FILENO, F_GETFL) & O_ACCMODE) != O_WRONLY) {
        int again = terminal_open();

        keyboard->fd = again < 0 ? STDIN_FILENO : again;
    }
}

void keyboard_close(struct keyboard *keyboard)
{
    if (keyboard->fd != STDIN_FILENO)
        tool_close(&keyboard->fd);
}

bool keyboard_in_background(const struct keyboard *keyboard)
{
    pid_t front = keyboard->terminal ? tcgetpgrp(keyboard->fd) : -1;

    return front >= 0 && front != getpgrp();
}

bool keyboard_in_foreground(const struct keyboard *keyboard)
{
    return keyboard->terminal && tcgetpgrp(keyboard->fd) == getpgrp();
}

/* Without a handler the kernel would begin the read again, before anybody looks for signals. */
static void stop_here(int signo)
{
    int error = errno;

    raise(signo);
    errno = error;
}

void keyboard_begin(struct keyboard *keyboard)
{
    struct sigaction stop = { .sa_handler = stop_here, .sa_flags = (int)SA_RESETHAND | SA_NODEFER };

    if (!keyboard->terminal)
        return;
    sigaction(SIGTTIN, NULL, &keyboard->before);
    if (keyboard->before.sa_handler != SIG_IGN)
        sigaction(SIGTTIN, &stop, NULL);
}

void keyboard_end(const struct keyboard *keyboard)
{
    if (keyboard->terminal)
        sigaction(SIGTTIN, &keyboard->before, NULL);
}
