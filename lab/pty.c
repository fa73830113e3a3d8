/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "config.h"

#include "lab/pty.h"
#include "lab/die.h"
#include "lab/enter.h"
#include "lab/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void size_copy(int master)
{
    struct winsize size;

    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
        ioctl(master, TIOCSWINSZ, &size);
}

int pty_open(void)
{
    int unlock = 0, master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0)
        die(ENTER_FAILED, "cannot open terminal: %s", strerror(errno));
    size_copy(master);
    return master;
}

void pty_take(int master)
{
    int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);

    setsid();
    if (slave < 0 || ioctl(slave, TIOCSCTTY, 0) < 0 || dup2(slave, 0) < 0 || dup2(slave, 1) < 0
        || dup2(slave, 2) < 0)
        die(ENTER_FAILED, "cannot take terminal: %s", strerror(errno));
    if (slave > 2)
        close(slave);
}

void pty_raw(const struct termios *saved)
{
    struct termios raw = *saved;

    cfmakeraw(&raw);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

/* Keys on their way to a command that may not be reading. Its output must flow meanwhile, else both
 * ends wait for each other. */
struct keys {
    char bytes[4096];
    size_t start, end;
};

static bool retry(ssize_t result)
{
    return result < 0 && (errno == EINTR || errno == EAGAIN);
}

/* False when there is nothing more to come. */
static bool screen_pass(int master)
{
    char buffer[4096];
    ssize_t length = read(master, buffer, sizeof(buffer)), done = 0, part;

    if (length <= 0)
        return retry(length);
    while (done < length) {
        part = write(STDOUT_FILENO, buffer + done, (size_t)(length - done));
        if (part < 0 && errno != EINTR)
            return false;
        done += part > 0 ? part : 0;
    }
    return true;
}

/* False at the end of the caller's input, which becomes the terminal's end-of-file key. */
static bool keys_read(struct keys *keys)
{
    ssize_t length = read(STDIN_FILENO, keys->bytes, sizeof(keys->bytes));

    if (retry(length))
        return true;
    keys->start = 0;
    keys->end = length > 0 ? (size_t)length : 1;
    if (length <= 0)
        keys->bytes[0] = '\004';
    return length > 0;
}

static void keys_write(struct keys *keys, int master)
{
    ssize_t length = write(master, keys->bytes + keys->start, keys->end - keys->start);

    if (length > 0)
        keys->start += (size_t)length;
    else if (!retry(length))
        keys->start = keys->end;
}

static bool signal_take(int signals, int master, pid_t child, int *status)
{
    struct signalfd_siginfo info;

    if (read(signals, &info, sizeof(info)) != sizeof(info))
        return false;
    if (info.ssi_signo == SIGCHLD)
        return relay_reap(child, status);
    if (info.ssi_signo == SIGWINCH)
        size_copy(master);
    else
        kill(-child, (int)info.ssi_signo);
    return false;
}

static int signals_open(void)
{
    sigset_t set;
    int signals;

    relay_set(&set);
    sigaddset(&set, SIGWINCH);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signals = signalfd(-1, &set, SFD_CLOEXEC);
    if (signals < 0)
        die(ENTER_FAILED, "cannot take signals: %s", strerror(errno));
    return signals;
}

int pty_relay(int master, pid_t child)
{
    struct pollfd fds[] = {
        {.fd = signals_open(), .events = POLLIN},
        {.fd = master},
        {.fd = STDIN_FILENO, .events = POLLIN},
    };
    struct keys keys = {.start = 0, .end = 0};
    bool screen = true, keyboard = true;
    int status;

    fcntl(master, F_SETFL, O_NONBLOCK);
    for (;;) {
        fds[1].fd = screen ? master : -1;
        fds[1].events = POLLIN | (keys.start < keys.end ? POLLOUT : 0);
        fds[2].fd = keyboard && keys.start == keys.end ? STDIN_FILENO : -1;
        if (poll(fds, 3, -1) < 0)
            continue;
        if (fds[0].revents != 0 && signal_take(fds[0].fd, master, child, &status))
            break;
        if (fds[2].revents != 0)
            keyboard = keys_read(&keys);
        if (fds[1].revents & POLLOUT)
            keys_write(&keys, master);
        if (fds[1].revents & ~POLLOUT)
            screen = screen_pass(master);
    }
    for (fds[1].events = POLLIN; screen && poll(&fds[1], 1, 0) > 0;)
        screen = screen_pass(master);
    return status;
}
