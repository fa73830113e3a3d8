/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bproc_dump(): an image of the caller in a file.
 *
 * What is dumped is a copy of him, forked quietly, as in move.c; its standard streams are
 * placeholders, nothing else is open in it. It ends when the file is written.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/bproc.h>

#include "libbproc/client.h"
#include "libbproc/descriptors.h"
#include "libbproc/lazy.h"
#include "libbproc/move.h"
#include "libbproc/placeholders.h"
#include "libbproc/quietfork.h"
#include "libbproc/rfork.h"

static const struct io nothing;

/* ---- the copy, and what comes of it ---- */

static int dump_settle(const gate_msg *news)
{
    (void)news;
    move_number_refresh();
    placeholders_drop();
    return 0;
}

static int copy_hand_over(struct depart *depart, int out)
{
    const int keep[] = { depart->conn, depart->gate, depart->gate_far, out, -1 };
    struct streams *set = calloc(1, sizeof(*set));
    int error = set ? descriptors_close(keep) : -ENOMEM;

    if (!error)
        error = placeholders_put(set);
    if (!error)
        error = depart_handover(depart, getpid(), set, &out, 1, -1);
    free(set);
    return error;
}

/* Returns where it was undumped only. */
static void copy_leave(struct depart *depart, int out, const uint64_t *mask)
{
    const struct flight_plan plan = { .kind = MOVE_DUMP, .arg = &nothing, .settle = dump_settle };
    char *cwd = getcwd(NULL, 0);
    int node, rank, persona = rfork_persona(), error;

    client_release(depart->gate);
    client_release(depart->gate_far);
    client_forget_all_but(depart->conn);
    error = copy_hand_over(depart, out);
    if (error)
        _exit(-error & 0xff);
    client_close(depart->conn);
    close(out);
    (void)!chdir("/");
    rfork_gate_reach(depart->gate, 0);
    if (rfork_gate_pass(depart->gate, cwd, persona, &plan, &node, &rank) != GATE_REMOTE)
        _exit(CHILD_GAVE_UP);
    close(depart->gate);
    free(cwd);
    signals_restore(mask);
}

/* ---- the caller of a dump ---- */

/* 1 in the caller, 0 where it was undumped, -errno. */
static int dump_run(int out, int flags)
{
    struct depart depart;
    uint64_t mask;
    pid_t copy;
    int error = depart_ask(&depart, MOVE_DUMP, BPROC_NODE_SELF, flags);

    if (error)
        return error;
    error = depart_gate(&depart);
    if (error) {
        depart_close(&depart);
        return error;
    }
    lazy_complete();
    signals_block(&mask);
    copy = quietfork();
    if (copy == 0) {
        copy_leave(&depart, out, &mask);
        return 0;
    }
    error = copy < 0 ? -errno : 0;
    signals_restore(&mask);
    client_close(depart.gate);
    client_close(depart.gate_far);
    depart.gate = depart.gate_far = -1;
    if (!error)
        error = depart_answer(depart.conn);
    if (copy > 0)
        quietfork_undo(copy);
    depart_close(&depart);
    return error ? client_error(error) : 1;
}

int bproc_dump(int fd, int flags)
{
    int out, result;

    if (flags & ~BPROC_DUMP_ALL)
        return client_result(-EINVAL);
    /* Out of the way of the placeholders. */
    out = fcntl(fd, F_DUPFD_CLOEXEC, PLACEHOLDERS);
    if (out < 0)
        return -1;
    result = dump_run(out, flags);
    if (result != 0)
        close(out);
    return client_result(result);
}
