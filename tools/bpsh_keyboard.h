/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpsh's stdin where that is a terminal, which others read as well: the shell, as soon as bpsh is
 * stopped. A read must neither wait for a line that they have taken since, nor go on by itself
 * after a stop: bpsh has all signals blocked and looks for them in its loop alone.
 *
 * Life: keyboard_open(), then, whenever keyboard.fd is readable, a read of it between
 * keyboard_begin() and keyboard_end(); keyboard_close().
 */
#ifndef TOOLS_BPSH_KEYBOARD_H
#define TOOLS_BPSH_KEYBOARD_H

#include <signal.h>
#include <stdbool.h>

struct keyboard {
    int fd;                         /* what to read instead of stdin; the same if it is none */
    bool terminal;
    struct sigaction before;        /* a read: what SIGTTIN did */
};

/* Opens stdin's terminal once more, without waiting if it may. Always succeeds. */
void keyboard_open(struct keyboard *keyboard);
void keyboard_close(struct keyboard *keyboard);

/* In the background of its session, where a read stops the whole process group. */
bool keyboard_in_background(const struct keyboard *keyboard);

/* In the foreground of its session, so that what is typed is meant for this process group. */
bool keyboard_in_foreground(const struct keyboard *keyboard);

/* A read in the background stops the process; continued, the read ends with EINTR. */
void keyboard_begin(struct keyboard *keyboard);
void keyboard_end(const struct keyboard *keyboard);

#endif
