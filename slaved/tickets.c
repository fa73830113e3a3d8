/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <openssl/crypto.h>

#include "slaved/ghost.h"
#include "slaved/tickets.h"

#define GOOD_SECONDS 60
#define TICKETS_A_NODE 2048     /* one in wrong hands may have as many made as it likes */
#define PATIENCE_SECONDS 10     /* for the master's word, once the guest is there */

struct ticket {
    LIST_ENTRY(ticket) entry;
    expect_msg expect;
    struct event *on_end;
};

struct guest {
    LIST_ENTRY(guest) entry;
    struct conn *conn;
    struct frame_header asked;
    char bytes[BPROC_TICKET_LEN];
    struct event *on_end;
};

static LIST_HEAD(, ticket) tickets = LIST_HEAD_INITIALIZER(tickets);
static LIST_HEAD(, guest) guests = LIST_HEAD_INITIALIZER(guests);
static struct event_base *tickets_base;

void tickets_init(struct event_base *base)
{
    tickets_base = base;
}

static void ticket_free(struct ticket *ticket)
{
    LIST_REMOVE(ticket, entry);
    if (ticket->on_end)
        event_free(ticket->on_end);
    frame_free(FRAME_XDR(expect_msg), &ticket->expect, sizeof(ticket->expect));
    free(ticket);
}

static void guest_free(struct guest *guest)
{
    LIST_REMOVE(guest, entry);
    if (guest->on_end)
        event_free(guest->on_end);
    free(guest);
}

static void ticket_expired(evutil_socket_t fd, short what, void *arg)
{
    struct ticket *ticket = arg;

    (void)fd;
    (void)what;
    for (unsigned i = 0; i < ticket->expect.children.child_list_len; i++)
        ghost_forget(ticket->expect.children.child_list_val[i]);
    ticket_free(ticket);
}

static void guest_refuse(struct conn *conn, const struct frame_header *asked)
{
    conn_refuse(conn, asked, EPERM, "the master has not announced this process");
}

static void guest_expired(evutil_socket_t fd, short what, void *arg)
{
    struct guest *guest = arg;

    (void)fd;
    (void)what;
    guest_refuse(guest->conn, &guest->asked);
    guest_free(guest);
}

static struct event *timer_start(event_callback_fn on_end, void *arg, int seconds)
{
    struct timeval limit = { seconds, 0 };
    struct event *timer = evtimer_new(tickets_base, on_end, arg);

    if (timer)
        event_add(timer, &limit);
    return timer;
}

static struct ticket *ticket_find(const char *bytes)
{
    struct ticket *ticket;

    LIST_FOREACH(ticket, &tickets, entry)
        if (CRYPTO_memcmp(ticket->expect.ticket.move_ticket_val, bytes, BPROC_TICKET_LEN) == 0)
            break;
    return ticket;
}

static unsigned tickets_from(int node)
{
    const struct ticket *ticket;
    unsigned count = 0;

    LIST_FOREACH(ticket, &tickets, entry)
        count += ticket->expect.node == node;
    return count;
}

/* It is torn when it has been shown. */
static void guest_admit(struct conn *conn, const struct frame_header *asked, struct ticket *ticket)
{
    conn_reply(conn, asked, FRAME_XDR(expect_msg), &ticket->expect);
    ticket_free(ticket);
}

static void guests_look(struct ticket *ticket)
{
    struct guest *guest;

    LIST_FOREACH(guest, &guests, entry)
        if (ticket_find(guest->bytes) == ticket)
            break;
    if (!guest)
        return;
    guest_admit(guest->conn, &guest->asked, ticket);
    guest_free(guest);
}

int ticket_expect(const struct frame_header *header, const uint8_t *body)
{
    struct ticket *ticket = calloc(1, sizeof(*ticket));

    if (!ticket)
        return 0;
    LIST_INSERT_HEAD(&tickets, ticket, entry);
    if (conn_decode(expect_msg, header, body, &ticket->expect) < 0) {
        memset(&ticket->expect, 0, sizeof(ticket->expect));
        ticket_free(ticket);
        return -EPROTO;
    }
    ticket->on_end = timer_start(ticket_expired, ticket, GOOD_SECONDS);
    if (!ticket->on_end || ticket->expect.ticket.move_ticket_len != BPROC_TICKET_LEN ||
        tickets_from(ticket->expect.node) > TICKETS_A_NODE) {
        ticket_free(ticket);
        return 0;
    }
    /* What becomes of its children from now on may be told before it is here. */
    for (unsigned i = 0; i < ticket->expect.children.child_list_len; i++)
        ghost_expect(ticket->expect.children.child_list_val[i]);
    guests_look(ticket);
    return 0;
}

static void guest_wait(struct conn *conn, const struct frame_header *header, const char *bytes)
{
    struct guest *guest = calloc(1, sizeof(*guest));

    if (!guest) {
        conn_refuse(conn, header, ENOMEM, "out of memory");
        return;
    }
    guest->conn = conn;
    guest->asked = *header;
    memcpy(guest->bytes, bytes, sizeof(guest->bytes));
    LIST_INSERT_HEAD(&guests, guest, entry);
    guest->on_end = timer_start(guest_expired, guest, PATIENCE_SECONDS);
    if (guest->on_end)
        return;
    guest_free(guest);
    conn_refuse(conn, header, ENOMEM, "out of memory");
}

int ticket_ask(struct conn *conn, const struct frame_header *header, const uint8_t *body)
{
    struct ticket *ticket;
    ticket_arg arg;

    if (conn_decode(ticket_arg, header, body, &arg) < 0)
        return -EPROTO;
    if (arg.ticket.move_ticket_len != BPROC_TICKET_LEN) {
        guest_refuse(conn, header);
    } else {
        ticket = ticket_find(arg.ticket.move_ticket_val);
        if (ticket)
            guest_admit(conn, header, ticket);
        else
            guest_wait(conn, header, arg.ticket.move_ticket_val);
    }
    frame_free(FRAME_XDR(ticket_arg), &arg, sizeof(arg));
    return 0;
}

void ticket_forget(const struct conn *conn)
{
    struct guest *guest, *next;

    for (guest = LIST_FIRST(&guests); guest; guest = next) {
        next = LIST_NEXT(guest, entry);
        if (guest->conn == conn)
            guest_free(guest);
    }
}
