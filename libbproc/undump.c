/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bproc_undump(): the caller becomes what is in the file. He waits at a gate, as for a rexec, and
 * becomes the ghost of it, or ends if nobody needs one; it has his number and his standard streams.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/bproc.h>

#include "libbproc/client.h"
#include "libbproc/placeholders.h"
#include "libbproc/remain.h"
#include "libbproc/spool.h"

static const struct io nothing;

/* Each standard stream by itself: each has its own placeholder in the image. */
static int standard_split(const struct streams *all, struct streams *set)
{
    for (unsigned i = 0; i < all->count; i++)
        for (unsigned t = 0; t < all->descs[i].targets.targets_len; t++) {
            int fd = all->descs[i].targets.targets_val[t];
            int copy = fd < PLACEHOLDERS
                           ? fcntl(all->originals[i], F_DUPFD_CLOEXEC, PLACEHOLDERS) : -1;
            stream_desc *desc = &set->descs[set->count];

            if (fd >= PLACEHOLDERS)
                continue;
            if (copy < 0)
                return -EMFILE;
            *desc = all->descs[i];
            desc->targets.targets_len = 1;
            desc->targets.targets_val = set->targets[set->count];
            set->targets[set->count++][0] = fd;
            set->originals[set->original_count++] = copy;
        }
    return 0;
}

/* `from` is what the image was read from, and nothing to whom is in it. */
static int undump_hand_over(struct depart *depart, int in, int from)
{
    const int skip[] = { depart->conn, depart->gate, depart->gate_far, in, from, -1 };
    struct streams *all = calloc(2, sizeof(*all));
    int error = all ? streams_collect(&all[0], BPROC_IO_STDIN, &nothing, 1, skip) : -ENOMEM;

    if (!error) {
        error = standard_split(&all[0], &all[1]);
        if (!error)
            error = depart_handover(depart, getpid(), &all[1], &in, 1, -1);
        streams_free(&all[0]);
        streams_free(&all[1]);
    }
    free(all);
    return error;
}

static int undump_run(int in, int from)
{
    struct remain remain;
    struct depart depart;
    uint64_t mask;
    int error = depart_ask(&depart, MOVE_UNDUMP, BPROC_NODE_SELF, 0);

    if (error)
        return error;
    signals_block(&mask);
    error = depart_gate(&depart);
    if (!error)
        error = undump_hand_over(&depart, in, from);
    if (!error)
        error = remain_wait(&remain, depart.gate, depart.conn);
    if (!error)
        error = remain_become(&remain, depart.gate, depart.parent, NULL);
    signals_restore(&mask);
    depart_close(&depart);
    return client_error(error == -BPROC_PID_TAKEN ? -EAGAIN : error);
}

int bproc_undump(int fd)
{
    int in = spool_open(fd), error;

    if (in < 0)
        return client_result(in);
    error = undump_run(in, fd);
    close(in);
    return client_result(error);
}
