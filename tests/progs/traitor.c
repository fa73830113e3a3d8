/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * traitor ADDR DIR ORIGIN UID VICTIM CHILD: a node in wrong hands, with the certificate in DIR,
 * which speaks to its master as a good one would. It has one process that was sent to it, ORIGIN of
 * the user UID. VICTIM is another user's on another node; CHILD was forked by a process of a third
 * node and runs on a fourth. Speaks TAP: what its master lets it do.
 */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "common/tls.h"
#include "proto/frame.h"
#include "tests/progs/prog.h"

#define NOBODY_ELSE 4711            /* a uid without a process on the node */
#define PASSAGES 3000
#define TRY_SECONDS 30

static SSL *ssl;
static uint32_t serial;
static int node, origin, cases_run;
static int fresh;                       /* a process number that this node gives out */
static unsigned user;
static struct frame_header header;     /* of the latest answer */
static uint8_t body[BPROC_MAX_BODY];

static void say(bproc_kind kind, bproc_proc proc, xdrproc_t encode, const void *arg)
{
    struct frame_header said = { .kind = kind, .proc = proc, .serial = ++serial };
    uint8_t *frame;
    size_t len;

    CHECK(frame_build(&said, encode, arg, &frame, &len) == 0, "cannot build a frame");
    CHECK(SSL_write(ssl, frame, (int)len) == (int)len, "the master has hung up");
    free(frame);
}

static void bytes_take(uint8_t *bytes, size_t len)
{
    for (size_t got = 0; got < len;) {
        int n = SSL_read(ssl, bytes + got, (int)(len - got));

        CHECK(n > 0, "the master has hung up");
        got += (size_t)n;
    }
}

/* The status of the answer to what was said last; all else that comes is let go by. */
static int answer(void)
{
    uint8_t prefix[FRAME_PREFIX];

    do {
        bytes_take(prefix, sizeof(prefix));
        CHECK(frame_parse_header(prefix, &header) == 0, "no frame");
        bytes_take(body, header.body_len);
    } while (header.kind != K_REPLY || header.serial != serial);
    return header.status;
}

static int call(bproc_proc proc, xdrproc_t encode, const void *arg)
{
    say(K_CALL, proc, encode, arg);
    return answer();
}

static void case_end(int good, const char *name, int status)
{
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++cases_run, name);
    if (!good)
        printf("# status %d\n", status);
}

static void refused(const char *name, int status)
{
    case_end(status == EPERM, name, status);
}

static void hello_say(void)
{
    launch_done procs[] = { { 1, user }, { origin, user } };
    hello_arg hello = { .node = node, .instance = 77, .data_port = 2224,
                        .procs = { 2, procs } };

    hello_ret ret;

    CHECK(call(P_HELLO, FRAME_XDR(hello_arg), &hello) == 0, "the hello is refused");
    CHECK(frame_decode(FRAME_XDR(hello_ret), body, header.body_len, &ret, sizeof(ret)) == 0,
          "the answer to the hello does not decode");
    fresh = ret.numbers.first;
}

static void link_make(const char *addr, const char *dir)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(2223) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    char text[256] = "";
    SSL_CTX *ctx = tls_context(dir, 0, TLS_VERIFY_PEER, text, sizeof(text));

    CHECK(ctx, "no TLS: %s", text);
    CHECK(inet_pton(AF_INET, addr, &in.sin_addr) == 1, "'%s' is no address", addr);
    CHECK(connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0, "nobody at %s: %s", addr,
          strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    ssl = SSL_new(ctx);
    SSL_set_fd(ssl, fd);
    CHECK(SSL_connect(ssl) == 1, "no handshake");
    node = tls_own_node(ctx);
}

/* Of a new process, unless there is one in question. */
static depart_arg departure(int pid, int to)
{
    static char args[] = "x";

    return (depart_arg){ .kind = MOVE_REXEC, .node = to, .flags = -1, .origin = origin,
                         .who = { .id = { pid, pid, pid }, .ppid = origin, .uid = user,
                                  .gid = user, .args = { sizeof(args), args } } };
}

static int allow(const depart_arg *arg)
{
    return call(P_DEPART_ALLOW, FRAME_XDR(depart_arg), arg);
}

static void give_up(int pid)
{
    failed_msg msg = { .pid = pid, .error = EIO, .text = (char *)(uintptr_t)"" };

    say(K_EVENT, P_DEPART_FAILED, FRAME_XDR(failed_msg), &msg);
}

/* Its ghost on the master comes back at its own pace. */
static void own_processes(void)
{
    depart_arg arg = departure(fresh, 0);
    time_t end = time(NULL) + TRY_SECONDS;
    int status;

    while ((status = allow(&arg)) != 0 && time(NULL) < end)
        usleep(50000);
    case_end(status == 0, "a process of the user leaves", status);
    give_up(fresh);
}

static void other_rights(void)
{
    depart_arg arg = departure(fresh, -1);
    unsigned groups[] = { 0 };

    arg.who.uid = 0;
    refused("none leaves as root", allow(&arg));
    arg.who.uid = NOBODY_ELSE;
    refused("nor as another user", allow(&arg));
    arg = departure(fresh, -1);
    arg.who.gid = 0;
    refused("nor in root's group", allow(&arg));
    arg = departure(fresh, -1);
    arg.groups.groups_len = 1;
    arg.groups.groups_val = groups;
    refused("nor with that one beside its own", allow(&arg));
    arg = departure(fresh, -1);
    arg.origin = 1;
    arg.who.uid = arg.who.gid = ~0u;
    refused("nor as the user that is none, which setuid() takes for \"as it is\"", allow(&arg));
}

/* VICTIM is root's. */
static void other_kin(int victim)
{
    depart_arg arg = departure(fresh, 0);
    int status;

    arg.who.ppid = victim;
    refused("none leaves as another user's child", allow(&arg));
    arg = departure(fresh, 0);
    arg.who.id.pgid = victim;
    refused("nor into his process group", allow(&arg));
    arg = departure(fresh, 0);
    arg.who.id.sid = victim;
    refused("nor into his session", allow(&arg));
    arg = departure(fresh, 0);
    arg.who.id.pgid = arg.who.id.sid = origin;
    status = allow(&arg);
    case_end(status == 0, "but into those of the user's own", status);
    give_up(fresh);
}

/* A process that is said to have been forked here gives no more rights. */
static void invented_process(unsigned uid, const char *name)
{
    static char args[] = "invented";
    born_msg born = { .id = { fresh + 1, fresh + 1, fresh + 1 }, .ppid = 1, .uid = uid,
                      .gid = uid, .args = { sizeof(args), args } };
    depart_arg arg = departure(fresh, -1);

    say(K_EVENT, P_BORN, FRAME_XDR(born_msg), &born);
    arg.origin = fresh + 1;
    arg.who.uid = arg.who.gid = uid;
    refused(name, allow(&arg));
}

/* As the child of a process that is there it is its user's, whatever is said of it. */
static void invented_child(void)
{
    static char args[] = "invented";
    born_msg born = { .id = { fresh + 2, fresh + 2, fresh + 2 }, .ppid = origin, .uid = 0,
                      .gid = 0, .args = { sizeof(args), args } };
    depart_arg arg = departure(fresh, -1);
    int status;

    say(K_EVENT, P_BORN, FRAME_XDR(born_msg), &born);
    arg.origin = fresh + 2;
    arg.who.uid = arg.who.gid = 0;
    refused("nor is a child root's", allow(&arg));
    arg = departure(fresh, 0);
    arg.origin = fresh + 2;
    status = allow(&arg);
    case_end(status == 0, "it is its parent's user's", status);
    give_up(fresh);
}

static void others_process(int victim)
{
    depart_arg arg = departure(victim, 1);
    signal_msg kill = { .pid = victim, .signo = SIGKILL };
    pid_msg ready = { .pid = victim };

    arg.ghost = 1;
    refused("another node's process does not leave", allow(&arg));
    say(K_CALL, P_DEPART_READY, FRAME_XDR(pid_msg), &ready);
    answer();
    say(K_EVENT, P_SIGNAL_FROM, FRAME_XDR(signal_msg), &kill);
    say(K_EVENT, P_SIGNAL_PARENT, FRAME_XDR(signal_msg), &kill);
}

/* That it is the child of what leaves from here is not so. */
static void others_child(int child)
{
    depart_arg arg = departure(fresh, 0);
    status_msg end = { .pid = child, .status = 42 << 8 };
    pid_msg ready = { .pid = fresh };
    int status;

    arg.children.child_list_len = 1;
    arg.children.child_list_val = &child;
    status = allow(&arg);
    if (!status)
        status = call(P_DEPART_READY, FRAME_XDR(pid_msg), &ready);
    case_end(status == 0, "its own one is made ready", status);
    status = call(P_DEPART_READY, FRAME_XDR(pid_msg), &ready);
    case_end(status == EALREADY, "once", status);
    say(K_EVENT, P_GHOST_CHILD, FRAME_XDR(status_msg), &end);
    give_up(fresh);
}

static void crowd(void)
{
    int status = 0, count = 0;

    while (!status && count < PASSAGES) {
        depart_arg arg = departure(fresh + 100 + count++, 0);

        status = allow(&arg);
    }
    case_end(status == EAGAIN, "not too many leave at once", status);
}

int main(int argc, char **argv)
{
    CHECK(argc == 7, "usage: traitor ADDR DIR ORIGIN UID VICTIM CHILD");
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    origin = atoi(argv[3]);
    user = (unsigned)atoi(argv[4]);
    link_make(argv[1], argv[2]);
    hello_say();
    own_processes();
    other_rights();
    other_kin(atoi(argv[5]));
    invented_process(0, "an invented process is not root's");
    invented_process(~0u, "nor nobody's");
    invented_child();
    others_process(atoi(argv[5]));
    others_child(atoi(argv[6]));
    crowd();
    printf("1..%d\n", cases_run);
    return 0;
}
