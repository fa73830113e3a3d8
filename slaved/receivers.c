/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/conn.h"
#include "common/log.h"
#include "common/reaper.h"
#include "common/spawn.h"
#include "slaved/child.h"
#include "slaved/lacking.h"
#include "slaved/link.h"
#include "slaved/receivers.h"
#include "slaved/space.h"
#include "slaved/transfer.h"

#define BACKLOG 1024
#define RESTART_SECONDS 1
#define PORT_WAITS 250              /* for a port that is taken */
#define PORT_WAIT_MS 20
#define ROOT 5                      /* the root's descriptor in the server */

static struct {
    struct event_base *base;
    const struct receivers_settings *settings;
    struct event *restart;
    struct conn *conn;
    pid_t pid;
    int listener, root;         /* root -1: that of the process space */
    uint64_t cache_size;
} receivers = { .listener = -1, .root = -1 };

static void server_start(void);

static void register_take(struct conn *conn, const struct frame_header *header,
                          const uint8_t *body, int *fds)
{
    launch_id id;

    if (header->nfds != 1 || conn_decode(launch_id, header, body, &id) < 0) {
        conn_close(conn, "registration does not decode");
        return;
    }
    transfer_new(receivers.base, fds[0], id.pid);
    fds[0] = -1;
}

static void server_message(struct conn *conn, const struct frame_header *header,
                           const uint8_t *body, int *fds, void *arg)
{
    (void)arg;
    if (header->proc == P_RECV_REGISTER)
        register_take(conn, header, body, fds);
    else if (header->proc == P_LACK && lacking_new(header, body, fds) == 0)
        return;
    else
        conn_close(conn, "message out of place");
}

static void server_closed(struct conn *conn, const char *reason, void *arg)
{
    (void)reason;
    (void)arg;
    if (receivers.conn == conn)
        receivers.conn = NULL;
}

static const struct conn_ops server_ops = { .on_message = server_message,
                                            .on_close = server_closed };

static void server_ended(const char *words)
{
    struct timeval pause = { RESTART_SECONDS, 0 };

    receivers.pid = 0;
    log_warnx("bproc-receiver has ended (%s); starting it again", words);
    event_add(receivers.restart, &pause);
}

static void restart_due(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    server_start();
}

static int server_spawn(int socket)
{
    char cache_size[32], root[64];
    const struct receivers_settings *settings = receivers.settings;
    char *argv[] = { (char[]){ "bproc-receiver" }, (char *)(uintptr_t)settings->tls_dir,
                     (char *)(uintptr_t)settings->criu, (char *)(uintptr_t)settings->cache_dir,
                     cache_size, root, NULL };
    int fds[] = { socket, receivers.listener, receivers.root };

    snprintf(cache_size, sizeof(cache_size), "%" PRIu64, receivers.cache_size);
    if (receivers.root < 0)
        snprintf(root, sizeof(root), "/proc/%d/root", (int)space_pid());
    else
        snprintf(root, sizeof(root), "/proc/self/fd/%d", ROOT);
    receivers.pid = child_start("bproc-receiver", argv, fds, receivers.root < 0 ? 2 : 3, 0,
                                server_ended);
    return receivers.pid < 0 ? (int)receivers.pid : 0;
}

static void server_start(void)
{
    int ends[2] = { -1, -1 }, error;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        error = -errno;
    else
        error = server_spawn(ends[1]);
    if (ends[1] >= 0)
        close(ends[1]);
    if (error) {
        if (ends[0] >= 0)
            close(ends[0]);
        receivers.pid = 0;
        log_warnx("cannot start bproc-receiver: %s", strerror(-error));
        return;
    }
    conn_close(receivers.conn, "replaced");
    receivers.conn = conn_new_local(receivers.base, ends[0], &server_ops, NULL);
}

static int listener_bind(const char *source, int port)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_ANY) };
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int error;

    if (fd < 0)
        return -errno;
    if (source)
        inet_pton(AF_INET, source, &addr.sin_addr);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
        bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    error = -errno;
    close(fd);
    return error;
}

/* The server of a slaved that was killed has the port until it, too, gets to its end. */
static int listener_make(const char *source, int port)
{
    int fd = listener_bind(source, port);

    if (fd == -EADDRINUSE)
        log_info("port %d is taken: waiting for it", port);
    for (int i = 0; fd == -EADDRINUSE && i < PORT_WAITS; i++) {
        poll(NULL, 0, PORT_WAIT_MS);
        fd = listener_bind(source, port);
    }
    return fd;
}

int receivers_init(struct event_base *base, const struct receivers_settings *settings)
{
    receivers.base = base;
    receivers.settings = settings;
    receivers.restart = evtimer_new(base, restart_due, NULL);
    receivers.listener = listener_make(settings->source, settings->port);
    if (receivers.listener < 0)
        return receivers.listener;
    return receivers.restart ? 0 : -ENOMEM;
}

unsigned receivers_port(void)
{
    struct sockaddr_in in = { .sin_port = 0 };
    socklen_t len = sizeof(in);

    return getsockname(receivers.listener, (struct sockaddr *)&in, &len) < 0 ? 0
                                                                            : ntohs(in.sin_port);
}

static void server_stop(void)
{
    if (receivers.pid > 0) {
        child_forget(receivers.pid);
        kill(receivers.pid, SIGTERM);
    }
    receivers.pid = 0;
    event_del(receivers.restart);
}

void receivers_start(uint64_t cache_size)
{
    if (receivers.pid > 0 && receivers.cache_size == cache_size)
        return;
    server_stop();
    receivers.cache_size = cache_size;
    server_start();
}

void receivers_set_root(int root)
{
    int running = receivers.pid > 0 || event_pending(receivers.restart, EV_TIMEOUT, NULL);

    server_stop();
    if (receivers.root >= 0)
        close(receivers.root);
    receivers.root = root;
    if (running)
        server_start();
}

static void purge_ended(pid_t pid, int status, void *arg)
{
    struct frame_header *asked = arg;

    (void)pid;
    if (WIFSTOPPED(status))
        return;
    if (status == 0)
        link_reply(asked);
    else
        link_refuse(asked, EIO, "cannot empty the file cache; this node's log says why");
    free(asked);
}

void receivers_purge(const struct frame_header *header)
{
    char *argv[] = { (char[]){ PKGLIBEXECDIR "/bproc-receiver" }, (char[]){ "purge" },
                     (char *)(uintptr_t)receivers.settings->cache_dir, NULL };
    struct frame_header *asked = malloc(sizeof(*asked));
    pid_t pid = asked ? spawn(argv, -1, -1) : -ENOMEM;
    int error = pid < 0 ? (int)pid : 0;

    if (!error) {
        *asked = *header;
        error = reaper_watch(pid, purge_ended, asked);
    }
    if (!error)
        return;
    link_refuse(header, -error, strerror(-error));
    free(asked);
}

void receivers_stop(void)
{
    if (!receivers.restart)
        return;
    server_stop();
    conn_close(receivers.conn, "stopped");
    event_free(receivers.restart);
    receivers.restart = NULL;
    if (receivers.listener >= 0)
        close(receivers.listener);
}
