/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a connection over TLS writes what it was told to send, and as how many records. */
#include "config.h"

#include <signal.h>
#include <sys/ioctl.h>

#include "tests/unit/tls_pair.h"

#define PATIENCE_MS 100             /* of common/conn_send.c */
#define RECORD 22                   /* around what is in it */

static int bytes_there(struct conn *conn)
{
    int bytes = 0;

    ioctl(conn_fd(conn), FIONREAD, &bytes);
    return bytes;
}

/* Until `messages` have come or `ms` are over. */
static void await(const struct end *end, unsigned messages, int ms)
{
    for (; end->messages < messages && ms > 0; ms -= 5)
        loop_run(5);
}

static int64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * Two that can wait, and in a while one that cannot: how many messages had come by then, and how
 * many bytes at once after it. Whether all that took less than the first one waits at most.
 */
static bool patient_run(const struct end *server, struct conn *client, unsigned *heard, int *bytes)
{
    unsigned before = server->messages;
    int64_t begin = clock_ms();
    bool in_time;

    conn_event_patient(client, P_PING, NULL, NULL);
    conn_event_patient(client, P_PING, NULL, NULL);
    loop_run(10);
    *heard = server->messages - before;
    conn_event(client, P_PING, NULL, NULL);
    event_base_loop(base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
    *bytes = bytes_there(server->conn);
    in_time = clock_ms() - begin < PATIENCE_MS;
    await(server, before + 3, 1000);
    return in_time;
}

static void test_records(void)
{
    struct end server, client;
    unsigned heard, before;
    int bytes;

    meet(&server, path_of("one", "tls"), TLS_VERIFY_OPTIONAL, &client, path_of("one", "n3"));
    for (int i = 0; i < 3; i++)
        conn_event(client.conn, P_PING, NULL, NULL);
    is_int(bytes_there(server.conn), 0, "what is said waits for the end of the turn");
    event_base_loop(base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
    is_int(bytes_there(server.conn), 3 * FRAME_PREFIX + RECORD, "and goes out as one record");
    await(&server, 3, 1000);
    is_int(server.messages, 3, "which holds every message");
    for (int i = 0; i < 100 && !patient_run(&server, client.conn, &heard, &bytes); i++)
        continue;
    is_int(heard, 0, "what can wait does");
    is_int(bytes, 3 * FRAME_PREFIX + RECORD, "until something cannot");
    before = server.messages;
    conn_event_patient(client.conn, P_PING, NULL, NULL);
    conn_send(server.conn, K_CALL, P_PING, 0, 0, NULL, NULL, NULL, 0);
    await(&server, before + 2, 1000);
    is_int(server.messages - before, 2, "such as the answer to a call");
    conn_event_patient(client.conn, P_PING, NULL, NULL);
    await(&server, before + 3, 5000);
    is_int(server.messages - before, 3, "and it does not wait for ever");
    conn_event_patient(client.conn, P_PING, NULL, NULL);
    conn_event(client.conn, P_PING, NULL, NULL);
    conn_close(client.conn, "test is over");
    await(&server, before + 5, 1000);
    is_int(server.messages - before, 5, "what was said before an end is heard before it");
    part(&server, &client);
    meet(&server, path_of("one", "tls"), TLS_VERIFY_OPTIONAL, &client, path_of("one", "n3"));
    conn_event_patient(client.conn, P_PING, NULL, NULL);
    conn_close_after_send(client.conn);
    await(&server, 1, 1000);
    is_int(server.messages, 1, "also before one that waits for it");
    part(&server, &client);
}

int main(void)
{
    char command[80], text[300];

    signal(SIGPIPE, SIG_IGN);
    base = event_base_new();
    if (!mkdtemp(root) || tls_ca_init(path_of("one", ""), text, sizeof(text)) < 0 ||
        node_join("one", "n3", 3, 3) < 0)
        return 1;
    test_records();
    event_base_free(base);
    snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command) != 0 || done_testing();
}
