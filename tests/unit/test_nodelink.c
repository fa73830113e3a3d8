/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said of a node with which no connection comes about. */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "migrate/nodelink.h"
#include "tests/unit/tap.h"

#define NODE 7

/* What the node does with the one who has connected. */
static void reset(int sock)
{
    const struct linger at_once = { .l_onoff = 1 };
    char hello[16];

    (void)!read(sock, hello, sizeof(hello));
    setsockopt(sock, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

static void babble(int sock)
{
    (void)!write(sock, "HTTP/1.0 400\r\n\r\n", 16);
}

static void say_nothing(int sock)
{
    char hello[1024];

    while (read(sock, hello, sizeof(hello)) > 0)
        ;
}

/* What the process does is asked of the kernel: S, it waits; T, it is stopped. */
static void becomes(pid_t pid, char wanted)
{
    char path[64], line[512];
    const char *state = NULL;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    while (!state || state[2] != wanted) {
        FILE *file = fopen(path, "re");

        state = file && fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
        if (file)
            fclose(file);
        if (!state)
            _exit(1);
        usleep(1000);
    }
}

/* A wait with a limit fails in a process that is stopped and goes on. */
static void interrupt_and_babble(int sock)
{
    char hello[1024];

    (void)!read(sock, hello, sizeof(hello));
    becomes(getppid(), 'S');
    kill(getppid(), SIGSTOP);
    becomes(getppid(), 'T');
    kill(getppid(), SIGCONT);
    becomes(getppid(), 'S');
    babble(sock);
}

static int node_listen(node_place *to)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(addr);
    int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (sock < 0 || bind(sock, (struct sockaddr *)&addr, len) < 0 || listen(sock, 1) < 0 ||
        getsockname(sock, (struct sockaddr *)&addr, &len) < 0)
        skip_all("cannot listen");
    *to = (node_place){ .node = NODE, .addr = INADDR_LOOPBACK, .data_port = ntohs(addr.sin_port) };
    return sock;
}

static pid_t node_start(int sock, void (*act)(int sock))
{
    pid_t pid = fork();

    if (pid == 0) {
        int peer = accept(sock, NULL, NULL);

        act(peer);
        close(peer);
        _exit(0);
    }
    close(sock);
    return pid;
}

static void test_refusal(SSL_CTX *ctx, void (*act)(int sock), const char *reason, const char *name)
{
    struct nodelink link = { .ssl = NULL };
    char text[256] = "", want[256];
    node_place to;
    pid_t pid = node_start(node_listen(&to), act);

    ok(nodelink_open(&link, ctx, &to, text, sizeof(text)) < 0, "%s: there is no connection", name);
    snprintf(want, sizeof(want), "cannot agree on TLS with node %d: %s", NODE, reason);
    is_str(text, want, "why is told");
    ok(!link.ssl, "nothing is left");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

int main(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    signal(SIGPIPE, SIG_IGN);
    test_refusal(ctx, reset, "Connection reset by peer", "a node that resets it");
    test_refusal(ctx, babble, "wrong version number", "one that speaks something else");
    test_refusal(ctx, interrupt_and_babble, "wrong version number", "one that does so late");
    test_refusal(ctx, say_nothing, "Connection timed out", "one that says nothing for ten seconds");
    SSL_CTX_free(ctx);
    return done_testing();
}
