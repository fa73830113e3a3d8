/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a connection over TLS writes what it was told to send, and as how many records. */
#include "config.h"

#include <signal.h>
#include <sys/ioctl.h>

#include "tests/unit/tls_pair.h"

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

static void test_records(void)
{
    enum { RECORD = 22 };           /* around what is in it */
    struct end server, client;

    meet(&server, path_of("one", "tls"), TLS_VERIFY_OPTIONAL, &client, path_of("one", "n3"));
    for (int i = 0; i < 3; i++)
        conn_event(client.conn, P_PING, NULL, NULL);
    is_int(bytes_there(server.conn), 0, "what is said waits for the end of the turn");
    event_base_loop(base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
    is_int(bytes_there(server.conn), 3 * FRAME_PREFIX + RECORD, "and goes out as one record");
    await(&server, 3, 1000);
    is_int(server.messages, 3, "which holds every message");
    conn_event_patient(client.conn, P_PING, NULL, NULL);
    conn_event_patient(client.conn, P_PING, NULL, NULL);
    loop_run(10);
    is_int(server.messages, 3, "what can wait does");
    conn_event(client.conn, P_PING, NULL, NULL);
    event_base_loop(base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
    is_int(bytes_there(server.conn), 3 * FRAME_PREFIX + RECORD, "until something cannot");
    await(&server, 6, 1000);
    conn_event_patient(client.conn, P_PING, NULL, NULL);
    conn_send(server.conn, K_CALL, P_PING, 0, 0, NULL, NULL, NULL, 0);
    await(&server, 8, 1000);
    is_int(server.messages, 8, "such as the answer to a call");
    conn_event_patient(client.conn, P_PING, NULL, NULL);
    await(&server, 9, 5000);
    is_int(server.messages, 9, "and it does not wait for ever");
    conn_event_patient(client.conn, P_PING, NULL, NULL);
    conn_event(client.conn, P_PING, NULL, NULL);
    conn_close(client.conn, "test is over");
    await(&server, 11, 1000);
    is_int(server.messages, 11, "what was said before an end is heard before it");
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
