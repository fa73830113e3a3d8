/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What slaved says to the children of its receiver, one launch after the other, while they carry
 * streams. The test is slaved, the process and who reads its output; each side has a child.
 */
#include "config.h"

#include <poll.h>
#include <sys/wait.h>

#include "migrate/carry.h"
#include "proto/msg.h"
#include "tests/unit/relay_pair.h"

#define CALL 7U                         /* the launch that is carried */
#define PATIENCE_MS 10000
#define SILENCE_MS 300                  /* an answer comes within a millisecond */

struct scene {
    pid_t sides[SIDES];
    int process;                        /* what it writes to; -1 when it has ended */
    int reader;                         /* where that comes out */
    int slaved;
};

/* The side keeps nothing but its own: the ends of the others are how they end. */
__attribute__((noreturn))
static void side_run(int side, SSL *ssl, int end, int slaved)
{
    stream_desc stream = { .kind = STREAM_PIPE_WRITE };
    struct carry carry = { .ssl = ssl, .count = 1, .streams = &stream, .fds = &end,
                           .node_side = side == NODE, .direct = 1, .slaved = slaved,
                           .call = CALL, .upstream = -1, .pid = 4711 };
    struct carrying *carrying;

    for (int fd = STDERR_FILENO + 1; fd < 64; fd++)
        if (fd != end && fd != slaved && fd != SSL_get_fd(ssl))
            close(fd);
    carrying = carry_open(&carry);
    _exit(carrying && carry_run(carrying) ? 0 : 1);
}

static void scene_set(struct scene *scene)
{
    int out[2], in[2], local[2];
    SSL *ssl[SIDES];

    tls_pair(ssl);
    must(pipe(out) == 0 && pipe(in) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, local) == 0,
         "make pipes");
    for (int side = 0; side < SIDES; side++) {
        scene->sides[side] = fork();
        must(scene->sides[side] >= 0, "fork");
        if (scene->sides[side] == 0)
            side_run(side, ssl[side], side == NODE ? out[0] : in[1], side == NODE ? local[1] : -1);
    }
    tls_free(ssl[MASTER]);
    tls_free(ssl[NODE]);
    close(out[0]);
    close(in[1]);
    close(local[1]);
    *scene = (struct scene){ .sides = { scene->sides[MASTER], scene->sides[NODE] },
                             .process = out[1], .reader = in[0], .slaved = local[0] };
}

static int is_readable(int fd, int ms)
{
    struct pollfd look = { .fd = fd, .events = POLLIN };

    return poll(&look, 1, ms) == 1;
}

static void drain(const struct scene *scene, uint32_t serial)
{
    launch_id id = { .pid = 4711 };

    must(msg_send(scene->slaved, K_EVENT, P_DRAIN, serial, 0, FRAME_XDR(launch_id), &id, NULL,
                  0) == 0, "ask for the rest");
}

/* What the process writes has gone through both sides. */
static int passes(const struct scene *scene, char what)
{
    char got = 0;

    must(write(scene->process, &what, 1) == 1, "write");
    return is_readable(scene->reader, PATIENCE_MS) && read(scene->reader, &got, 1) == 1 &&
           got == what;
}

static int drained_hear(const struct scene *scene)
{
    struct msg msg;
    int is_it;

    if (!is_readable(scene->slaved, PATIENCE_MS) || msg_recv(scene->slaved, &msg) < 0)
        return 0;
    is_it = msg.header.proc == P_DRAINED;
    msg_free(&msg);
    return is_it;
}

static int side_ends(pid_t pid)
{
    int status = -1;

    return waitpid(pid, &status, 0) == pid && status == 0;
}

int main(void)
{
    struct scene scene;

    signal(SIGPIPE, SIG_IGN);
    scene_set(&scene);
    ok(passes(&scene, 'a'), "output comes through");
    drain(&scene, CALL - 1);
    ok(!is_readable(scene.slaved, SILENCE_MS), "the end of the one before says nothing of it");
    drain(&scene, CALL);
    ok(drained_hear(&scene), "at its own all is delivered");
    ok(passes(&scene, 'b'), "what descendants write still comes through");
    close(scene.process);
    ok(side_ends(scene.sides[NODE]) && side_ends(scene.sides[MASTER]),
       "with the last of them the connection is free");
    return done_testing();
}
