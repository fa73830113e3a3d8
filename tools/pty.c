/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "tools/pty.h"

/* Standard input may be closed before the end. */
static int terminal_fd = -1;
static struct termios terminal_before;

int pty_open(const struct winsize *size)
{
    int unlock = 0, error;
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (master < 0)
        return -errno;
    if (ioctl(master, TIOCSPTLCK, &unlock) < 0) {
        error = -errno;
        close(master);
        return error;
    }
    pty_resize(master, size);
    return master;
}

int pty_take(int master)
{
    int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);

    if (slave < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
        return -errno;
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (dup2(slave, fd) < 0)
            return -errno;
    if (slave > STDERR_FILENO)
        close(slave);
    return 0;
}

void pty_resize(int master, const struct winsize *size)
{
    ioctl(master, TIOCSWINSZ, size);
}

struct winsize terminal_size(void)
{
    struct winsize size;

    if (ioctl(terminal_fd >= 0 ? terminal_fd : STDIN_FILENO, TIOCGWINSZ, &size) < 0 ||
        size.ws_row == 0 || size.ws_col == 0)
        size = (struct winsize) { .ws_row = 24, .ws_col = 80 };
    return size;
}

void terminal_raw(void)
{
    struct termios raw;

    if (terminal_fd >= 0 || tcgetattr(STDIN_FILENO, &terminal_before) < 0)
        return;
    terminal_fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (terminal_fd < 0)
        return;
    atexit(terminal_restore);
    raw = terminal_before;
    cfmakeraw(&raw);
    tcsetattr(terminal_fd, TCSADRAIN, &raw);
}

void terminal_restore(void)
{
    if (terminal_fd < 0)
        return;
    tcsetattr(terminal_fd, TCSADRAIN, &terminal_before);
    close(terminal_fd);
    terminal_fd = -1;
}
