/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A node that lies. */
#include "config.h"

#include <stdlib.h>

#include "tests/progs/hostile.h"

static uint8_t *frame_make(bproc_kind kind, bproc_proc proc, xdrproc_t encode, const void *body,
                           size_t *len)
{
    struct frame_header header = { .kind = kind, .proc = proc, .serial = 5 };
    uint8_t *frame;

    CHECK(frame_build(&header, encode, body, &frame, len) == 0, "cannot build a frame");
    return frame;
}

static void hello_send(struct shot *shot, int node, unsigned data_port, unsigned procs)
{
    hello_arg hello = { .node = node, .instance = 1234567, .data_port = data_port };
    uint8_t *frame;
    size_t len;

    hello.procs.procs_len = procs;
    hello.procs.procs_val = calloc(procs + 1, sizeof(launch_done));
    for (unsigned i = 0; i < procs; i++)
        hello.procs.procs_val[i] = (launch_done){ (int)i - 2, random_get() % 4 };
    frame = frame_make(K_CALL, P_HELLO, FRAME_XDR(hello_arg), &hello, &len);
    shot_send(shot, frame, len);
    free(hello.procs.procs_val);
    free(frame);
}

static void statuses_send(struct shot *shot)
{
    static const bproc_proc events[] = { P_EXITED, P_STOPPED, P_CONTINUED };

    for (int pid = -3; pid < 400; pid++) {
        status_msg body = { .pid = pid, .status = (int)random_get() };
        size_t len;
        uint8_t *frame = frame_make(K_EVENT, events[(unsigned)pid % 3], FRAME_XDR(status_msg),
                                    &body, &len);

        shot_send(shot, frame, len);
        free(frame);
    }
}

/* A call in the name of root, of one who is none. */
static void pass_send(struct shot *shot, bproc_proc proc, const void *body, size_t body_len)
{
    pass_arg arg = { .uid = 0, .gid = 0, .pid = 1, .proc = proc,
                     .body = { (u_int)body_len, (char *)(uintptr_t)body } };
    size_t len;
    uint8_t *frame = frame_make(K_CALL, P_PASS, FRAME_XDR(pass_arg), &arg, &len);

    shot_send(shot, frame, len);
    free(frame);
}

static void member_lie(const struct target *target, int node, unsigned procs)
{
    static const uint32_t state_down[] = { 0, 0 }, token[] = { 0, 0xffffff7f };
    struct shot shot;

    if (shot_open(&shot, target)) {
        hello_send(&shot, node, 2224, procs);
        statuses_send(&shot);
        pass_send(&shot, P_NODE_SET_STATE, state_down, sizeof(state_down));
        pass_send(&shot, P_TOKEN_CREATE, token, sizeof(token));
        pass_send(&shot, P_MOVE_HANDOVER, state_down, sizeof(state_down));
        pass_send(&shot, P_PASS, state_down, sizeof(state_down));
        pass_send(&shot, (bproc_proc)4711, NULL, 0);
        shot_drain(&shot, 100);
    }
    shot_close(&shot);
}

void member_run(int argc, char **argv)
{
    struct target target;
    struct shot shot;
    int node;

    CHECK(argc == 2, "member takes an address and a folder");
    target = (struct target){ argv[0], 2223, context_take(argv[1]) };
    node = tls_own_node(target.ctx);
    for (int wrong = -4; wrong < 5; wrong++)
        member_lie(&target, wrong == node ? 4711 : wrong, 0);
    member_lie(&target, node, 0);
    member_lie(&target, node, 1000);
    member_lie(&target, node, BPROC_MAX_PROCS);
    /* A link that is up, and then garbage on it. */
    for (int i = 0; i < RANDOM_SHOTS; i++) {
        uint8_t bytes[1024];
        size_t body_len = 4 * (random_get() % 40);

        if (shot_open(&shot, &target)) {
            hello_send(&shot, node, i & 1 ? 0 : 1 + random_get() % 65535, random_get() % 9);
            random_fill(bytes, sizeof(bytes));
            if (i & 2)
                frame_put(bytes, 0, BPROC_PROTO_VERSION, random_get() % 3,
                          P_JOIN + random_get() % 10, 0, body_len);
            shot_send(&shot, bytes, FRAME_PREFIX + body_len);
            shot_drain(&shot, 20);
        }
        shot_close(&shot);
    }
}
