/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection whose making is interrupted by a signal. */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/fd.h"
#include "tests/unit/tap.h"

static int listener;
static volatile sig_atomic_t accepts;

static void on_alarm(int signo)
{
    (void)signo;
    if (accepts)
        close(accept(listener, NULL, NULL));
}

/* What a second connection comes to, for which there is no room unless the signal makes some. */
static int connect_second(int accepting, int limit)
{
    const struct itimerval soon = { .it_value.tv_usec = 200000 };
    const struct timeval patience = { .tv_sec = limit };
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr *to = (struct sockaddr *)&addr;
    socklen_t len = sizeof(addr);
    int first = socket(AF_INET, SOCK_STREAM, 0), second = socket(AF_INET, SOCK_STREAM, 0), error;

    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, to, len) < 0 || listen(listener, 0) < 0 ||
        getsockname(listener, to, &len) < 0 || connect(first, to, len) < 0 ||
        poll(&(struct pollfd){ .fd = listener, .events = POLLIN }, 1, -1) != 1 ||
        setsockopt(second, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
        skip_all("cannot listen");
    accepts = accepting;
    setitimer(ITIMER_REAL, &soon, NULL);
    error = fd_connect(second, to, len);
    close(first);
    close(second);
    close(listener);
    return error;
}

int main(void)
{
    sigaction(SIGALRM, &(struct sigaction){ .sa_handler = on_alarm }, NULL);
    is_int(connect_second(1, 60), 0, "a signal does not end it");
    is_int(connect_second(0, 1), -ETIMEDOUT, "the limit of time does");
    return done_testing();
}
