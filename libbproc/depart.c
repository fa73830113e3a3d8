/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libbproc/client.h"
#include "libbproc/depart.h"
#include "libbproc/guard.h"

#define MAX_ARGUMENTS 131072            /* bytes of a command line that a ghost shows */

void signals_block(uint64_t *before)
{
    uint64_t all = ~0ULL;

    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, before, sizeof(all));
}

void signals_restore(const uint64_t *before)
{
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, before, NULL, sizeof(*before));
}

uint64_t signals_now(void)
{
    uint64_t set = 0;

    syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &set, sizeof(set));
    return set;
}

void depart_init(struct depart *depart, move_kind kind, int node, int flags)
{
    memset(depart, 0, sizeof(*depart));
    depart->conn = depart->gate = depart->gate_far = depart->keep = depart->keep_far = -1;
    depart->kind = kind;
    depart->parent = getppid();
    depart->node = node;
    depart->flags = flags;
}

int depart_ask_send(struct depart *depart)
{
    move_ask_arg arg = { .kind = depart->kind, .node = depart->node, .flags = depart->flags };

    return msg_send(depart->conn, K_CALL, P_MOVE_ASK, ++depart->serial, 0,
                    FRAME_XDR(move_ask_arg), &arg, NULL, 0);
}

int depart_ask_hear(struct depart *depart)
{
    move_ask_ret ret;
    struct msg msg;
    int error = msg_recv(depart->conn, &msg);

    if (error)
        return client_error(error);
    /* What was handed over meanwhile may be refused before a node has the master's word. */
    if (msg.header.status > 0)
        error = -msg.header.status;
    else if (msg.header.kind != K_REPLY || msg.header.proc != P_MOVE_ASK)
        error = -EPROTO;
    else
        error = frame_decode(FRAME_XDR(move_ask_ret), msg.body, msg.header.body_len, &ret,
                             sizeof(ret));
    msg_free(&msg);
    if (error)
        return client_error(error);
    depart->node = ret.node;
    depart->flags = ret.flags;
    depart->same = ret.same;
    return 0;
}

int depart_ask_more(struct depart *depart)
{
    int error = depart_ask_send(depart);

    return error ? client_error(error) : depart_ask_hear(depart);
}

int depart_ask(struct depart *depart, move_kind kind, int node, int flags)
{
    int error;

    depart_init(depart, kind, node, flags);
    depart->conn = client_open();
    if (depart->conn < 0)
        return depart->conn;
    error = depart_ask_more(depart);
    if (error)
        client_close(depart->conn);
    return error;
}

static int gate_make(int *near, int *far)
{
    int pair[2];
    int error = 0;

    guard_enter();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        error = -errno;
    } else {
        *near = client_fd_raise(pair[0]);
        *far = client_fd_raise(pair[1]);
        if (*near < 0 || *far < 0)
            error = -EMFILE;
        else if (client_claim(*near) < 0 || client_claim(*far) < 0)
            error = -ENOMEM;
    }
    guard_leave();
    return error;
}

int depart_gate(struct depart *depart)
{
    return gate_make(&depart->gate, &depart->gate_far);
}

int depart_keep_gate(struct depart *depart)
{
    return gate_make(&depart->keep, &depart->keep_far);
}

int depart_handover(struct depart *depart, int pid, const struct streams *set, const int *before,
                    unsigned before_count, int after)
{
    move_handover_arg arg = { .kind = depart->kind, .node = depart->node, .flags = depart->flags,
                              .pid = pid, .rank = depart->rank, .forks = depart->forks,
                              .ahead = depart->ahead };
    vector_member others[BPROC_MAX_VECTOR];
    int fds[BPROC_MAX_FDS];
    unsigned nfds = 0;
    struct stat st;
    int error;

    if (2 + before_count + set->original_count + 1 + depart->other_count > BPROC_MAX_FDS)
        return -EMFILE;
    /* Who waits at it is dumped there. */
    if ((depart->kind == MOVE_RFORK || depart->kind == MOVE_MOVE || depart->kind == MOVE_DUMP) &&
        fstat(depart->gate, &st) == 0)
        arg.gate_inode = st.st_ino;
    if (depart->kind == MOVE_MOVE) {
        arg.image_pid = getppid();
        fds[nfds++] = depart->keep_far;
    }
    arg.streams.streams_len = set->count;
    arg.streams.streams_val = (stream_desc *)(uintptr_t)set->descs;
    fds[nfds++] = depart->gate_far;
    for (unsigned i = 0; i < before_count; i++)
        fds[nfds++] = before[i];
    for (unsigned i = 0; i < set->original_count; i++)
        fds[nfds++] = set->originals[i];
    if (after >= 0)
        fds[nfds++] = after;
    arg.others.others_len = depart->other_count;
    arg.others.others_val = others;
    for (unsigned i = 0; i < depart->other_count; i++) {
        others[i] = depart->others[i].who;
        fds[nfds++] = depart->others[i].gate_far;
    }
    error = msg_send(depart->conn, K_CALL, P_MOVE_HANDOVER, ++depart->serial, 0,
                     FRAME_XDR(move_handover_arg), &arg, fds, nfds);
    client_close(depart->gate_far);
    client_close(depart->keep_far);
    depart->gate_far = depart->keep_far = -1;
    for (unsigned i = 0; i < depart->other_count; i++)
        close(depart->others[i].gate_far);
    return error;
}

int depart_answer(int conn)
{
    struct msg msg;
    int error = msg_recv(conn, &msg);

    if (error)
        return error;
    error = msg.header.status > 0 ? -msg.header.status : 0;
    msg_free(&msg);
    return error;
}

int gate_read(const struct msg *msg, gate_msg *news)
{
    return msg->header.proc == P_GATE ? frame_decode(FRAME_XDR(gate_msg), msg->body,
                                                     msg->header.body_len, news, sizeof(*news))
                                      : -EPROTO;
}

int gate_hear(int gate, gate_msg *news)
{
    struct msg msg;
    int error = msg_recv(gate, &msg);

    if (error)
        return error;
    error = gate_read(&msg, news);
    msg_free(&msg);
    return error;
}

void gate_msg_free(gate_msg *news)
{
    frame_free(FRAME_XDR(gate_msg), news, sizeof(*news));
}

gate_verdict gate_wait(int gate, int *node, int *rank)
{
    gate_verdict verdict;
    gate_msg news;

    if (gate_hear(gate, &news) < 0)
        return GATE_FAIL;
    verdict = news.verdict;
    *node = news.node;
    *rank = news.rank;
    gate_msg_free(&news);
    return verdict;
}

/* The vector of pointers into `len` bytes of strings, each ended by a NUL; one NULL at its end. */
static char **strings_split(char *bytes, size_t len)
{
    size_t count = 0, i = 0;
    char **list;

    for (size_t at = 0; at < len; at++)
        count += bytes[at] == '\0';
    list = calloc(count + 1, sizeof(*list));
    for (size_t at = 0; list && i < count; at += strlen(bytes + at) + 1)
        list[i++] = bytes + at;
    return list;
}

/* The process's arguments as ps shows them: the program may have changed its argv since. */
char **ghost_arguments(void)
{
    char *bytes = malloc(MAX_ARGUMENTS + 1);
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t len = bytes && fd >= 0 ? read(fd, bytes, MAX_ARGUMENTS) : -1;

    if (fd >= 0)
        close(fd);
    if (len <= 0)
        return NULL;
    /* A long command line is cut: it needs an end of its own then. */
    bytes[len] = '\0';
    return strings_split(bytes, (size_t)len + (bytes[len - 1] != '\0'));
}

void ghost_environment_fill(struct ghost_environment *environment, int node, pid_t parent,
                            int ahead)
{
    const char *path = getenv("BPROC_SOCKET");
    size_t size = sizeof(environment->socket);
    unsigned count = 0;

    if (ahead)
        environment->list[count++] = (char *)(uintptr_t)"BPROC_GHOST_AHEAD=waits";
    snprintf(environment->parent, sizeof(environment->parent), "BPROC_GHOST_PARENT=%d", parent);
    environment->list[count++] = environment->parent;
    snprintf(environment->node, sizeof(environment->node), "BPROC_GHOST_NODE=%d", node);
    environment->list[count++] = environment->node;
    if (path && (size_t)snprintf(environment->socket, size, "BPROC_SOCKET=%s", path) < size)
        environment->list[count++] = environment->socket;
    environment->list[count] = NULL;
}

void ghost_environment_runs(struct ghost_environment *environment)
{
    environment->list[0] = (char *)(uintptr_t)"BPROC_GHOST_AHEAD=runs";
}

int ghost_exec(int gate, pid_t parent, int node, char *const argv[])
{
    char *unknown[] = { (char *)(uintptr_t)"bproc-ghost", NULL };
    struct ghost_environment environment;
    int ghost = open(GHOST_PATH, O_PATH | O_CLOEXEC);

    if (ghost < 0)
        return -errno;
    if (!argv || !argv[0])
        argv = ghost_arguments();
    ghost_environment_fill(&environment, node, parent, 0);
    /* Above the gate's number, so that neither overwrites the other; the ghost's goes at exec. */
    ghost = fcntl(ghost, F_DUPFD_CLOEXEC, GHOST_GATE + 1);
    if (gate == GHOST_GATE)
        fcntl(gate, F_SETFD, 0);
    else if (dup2(gate, GHOST_GATE) < 0)
        return -errno;
    syscall(SYS_close_range, GHOST_GATE + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    fexecve(ghost, argv ? argv : unknown, environment.list);
    return -errno;
}

void depart_close(struct depart *depart)
{
    int saved = errno;

    client_close(depart->conn);
    client_close(depart->gate);
    client_close(depart->gate_far);
    client_close(depart->keep);
    client_close(depart->keep_far);
    errno = saved;
}
