/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "moves/account.h"
#include "moves/carrierpool.h"
#include "moves/channel.h"
#include "moves/move_impl.h"

struct account {
    LIST_ENTRY(account) entry;
    struct conn *channel;
    node_place to;                      /* of the mover's child */
    uintptr_t mover;
    move_kind kind;
    int pid, node;
    int64_t usec, begin, ghost;         /* all of it, and our own parts */
};

static LIST_HEAD(, account) accounts = LIST_HEAD_INITIALIZER(accounts);

static const char *const kind_names[] = {
    [MOVE_RFORK] = "rfork", [MOVE_REXEC] = "rexec", [MOVE_EXECMOVE] = "execmove",
    [MOVE_MOVE] = "move", [MOVE_DUMP] = "dump", [MOVE_UNDUMP] = "undump"
};

const char *account_kind(move_kind kind)
{
    return kind_names[kind];
}

/* The mover's parts and the size are in the report. */
static void account_say(const struct account *account, const unsigned *usec, uint64_t bytes)
{
    const char *unit = bytes >= 1 << 20 ? "MiB" : "KiB";
    double size = (double)bytes / (bytes >= 1 << 20 ? 1 << 20 : 1 << 10);

    log_info("%s pid %d -> %s: %.1f ms (begin %.1f check %.1f dump %.1f connect %.1f send %.1f"
             " restore %.1f ack %.1f ghost %.1f), %.1f %s", kind_names[account->kind],
             account->pid, move_node_name(account->node), (double)account->usec / 1e3,
             (double)account->begin / 1e3, usec[MT_CHECK] / 1e3, usec[MT_DUMP] / 1e3,
             usec[MT_CONNECT] / 1e3, usec[MT_SEND] / 1e3, usec[MT_RESTORE] / 1e3,
             usec[MT_ACK] / 1e3, (double)account->ghost / 1e3, size, unit);
    if (moves_ops->sent)
        moves_ops->sent(bytes);
}

static void account_say_less(const struct account *account)
{
    log_info("%s pid %d -> %s: %.1f ms (begin %.1f ghost %.1f)", kind_names[account->kind],
             account->pid, move_node_name(account->node), (double)account->usec / 1e3,
             (double)account->begin / 1e3, (double)account->ghost / 1e3);
}

/* ---- those that wait for the report ---- */

static void account_message(struct conn *conn, const struct frame_header *header,
                            const uint8_t *body, int *fds, void *arg)
{
    struct account *account = arg;
    move_report report;

    (void)fds;
    if (!account)
        return;
    if (conn_decode(move_report, header, body, &report) < 0) {
        conn_close(conn, "report does not decode");
        return;
    }
    account_say(account, report.usec, report.bytes);
    conn_set_arg(conn, NULL);
    if (report.spare)
        carrierpool_put(&account->to, account->mover, conn);
    else
        conn_close(conn, "done");
    frame_free(FRAME_XDR(move_report), &report, sizeof(report));
    LIST_REMOVE(account, entry);
    free(account);
}

static void account_closed(struct conn *conn, const char *reason, void *arg)
{
    struct account *account = arg;

    (void)conn;
    (void)reason;
    if (!account)
        return;
    account_say_less(account);
    LIST_REMOVE(account, entry);
    free(account);
}

static const struct conn_ops account_ops = { account_message, account_closed, NULL };

static void account_keep(const struct account *now, struct move *move)
{
    struct account *account = malloc(sizeof(*account));

    if (!account) {
        account_say_less(now);
        return;
    }
    *account = *now;
    account->channel = move->channel;
    move->channel = NULL;
    conn_set_ops(account->channel, &account_ops, account);
    LIST_INSERT_HEAD(&accounts, account, entry);
}

void account_close(struct move *move)
{
    int64_t now = move_clock();
    struct account account = { .kind = move->kind, .pid = move->pid, .node = move->node,
                               .to = move->to, .mover = move->mover,
                               .usec = now - move->started, .begin = move->begun - move->started,
                               .ghost = now - move->committed };

    if (move->reported)
        account_say(&account, move->usec, move->bytes);
    else if (move->channel)
        account_keep(&account, move);
    else
        account_say_less(&account);
}

void accounts_node_lost(int node)
{
    struct account *account, *next;

    for (account = LIST_FIRST(&accounts); account; account = next) {
        next = LIST_NEXT(account, entry);
        if (account->node == node)
            conn_close(account->channel, "the node was lost");
    }
}

void accounts_end(void)
{
    while (!LIST_EMPTY(&accounts))
        conn_close(LIST_FIRST(&accounts)->channel, "the daemon ends");
}
