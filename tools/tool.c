/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "libbproc/node.h"
#include "proto/rawcall.h"
#include "tools/tool.h"

/* The init of a node's processes is BProc's own. */
static bool is_bprocs(void)
{
    char name[16] = "";
    int fd = open("/proc/1/comm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, name, sizeof(name) - 1);

    tool_close(&fd);
    return n > 0 && strcmp(name, "bproc-space\n") == 0;
}

#define SOCKET_MAX (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

/* What libbproc would connect to, where that is no path of a socket. */
static const char *long_socket(void)
{
    const char *path = secure_getenv("BPROC_SOCKET");

    return path && strlen(path) > SOCKET_MAX ? path : NULL;
}

static const char *socket_path(void)
{
    const char *path = secure_getenv("BPROC_SOCKET");

    return path && *path ? path : BPROC_SOCKET_PATH;
}

bool tool_socket_is_at_fault(int error)
{
    if (error == ENAMETOOLONG && long_socket())
        return true;
    return (error == EACCES || error == ELOOP || error == ENAMETOOLONG) &&
           access(socket_path(), W_OK) < 0 && errno == error;
}

static const char *long_socket_reason(void)
{
    static char text[256];

    snprintf(text, sizeof(text), "BPROC_SOCKET is longer than %zu bytes: '%.160s'", SOCKET_MAX,
             long_socket());
    return text;
}

static const char *socket_reason(int error)
{
    static char text[256];

    if (long_socket())
        return long_socket_reason();
    snprintf(text, sizeof(text), "cannot use BProc's socket '%.160s': %s", socket_path(),
             strerror(error));
    return text;
}

const char *tool_reason(int error)
{
    if (tool_socket_is_at_fault(error))
        return socket_reason(error);
    if (error == EBUSY)
        return "BProc is not running here";
    if (error == EMFILE)
        return "too many open files (ulimit -n tells the limit) here or on the node";
    if (error == EFBIG)
        return "the limit of file sizes (ulimit -f) leaves no room for arguments and environment";
    if (error == EOPNOTSUPP && is_bprocs())
        return "only the master can do this";
    if (error == EOPNOTSUPP && tool_self() >= 0)
        return "BProc did not start this process on the node: do it on the master";
    return bproc_strerror(error);
}

/* A libc leaves its own signals out of what it tells, and not each the same ones. */
void tool_mask(sigset_t *mask)
{
    sigemptyset(mask);
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, mask, KERNEL_SIGSET);
}

void tool_start(enum tool_stdout closed)
{
    static char line[1024];

    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null", fd == STDOUT_FILENO && closed == STDOUT_FAILS ? O_RDONLY : O_RDWR);
    signal(SIGCHLD, SIG_DFL);
    /* Several may write to one log: a line is not to come in pieces. */
    setvbuf(stderr, line, _IOLBF, sizeof(line));
}

void tool_signals(sigset_t *set)
{
    static const int passed_on[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 };

    for (size_t i = 0; i < sizeof(passed_on) / sizeof(*passed_on); i++) {
        struct sigaction action;

        if (sigaction(passed_on[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(set, passed_on[i]);
    }
}

int64_t tool_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + 1;
}

void tool_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

bool tool_stdin_is_null(void)
{
    struct stat st;

    return fstat(STDIN_FILENO, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

void tool_flush(int failure)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        err(failure, "cannot write stdout");
}

void tool_usage(const char *text, int status, int failure)
{
    fputs(text, stdout);
    tool_flush(failure);
    exit(status);
}

void tool_version(int failure)
{
    printf("%s (bproc) %s\n", program_invocation_short_name, PACKAGE_VERSION);
    tool_flush(failure);
    exit(0);
}

enum color { COLOR_UNSET, COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

static enum color color_asked = COLOR_UNSET;

static enum color color_read(const char *when, const char *source)
{
    if (strcmp(when, "auto") == 0)
        return COLOR_AUTO;
    if (strcmp(when, "always") == 0)
        return COLOR_ALWAYS;
    if (strcmp(when, "never") != 0)
        errx(1, "%s: '%s' is not auto, always or never", source, when);
    return COLOR_NEVER;
}

void tool_color_set(const char *when)
{
    color_asked = color_read(when, "--color");
}

bool tool_color_wanted(int fd)
{
    const char *asked = getenv("BPROC_COLOR"), *none = getenv("NO_COLOR"), *term = getenv("TERM");

    if (color_asked == COLOR_UNSET && asked && *asked)
        color_asked = color_read(asked, "BPROC_COLOR");
    if (color_asked == COLOR_UNSET)
        color_asked = none && *none ? COLOR_NEVER : COLOR_AUTO;
    if (color_asked == COLOR_AUTO)
        return term && strcmp(term, "dumb") != 0 && isatty(fd);
    return color_asked == COLOR_ALWAYS;
}

const char *tool_color(int fd, const char *sequence)
{
    return tool_color_wanted(fd) ? sequence : "";
}

static int own_node = BPROC_NODE_NONE;

int tool_self(void)
{
    if (own_node == BPROC_NODE_NONE) {
        errno = 0;
        own_node = bproc_currnode();
    }
    return own_node;
}

int tool_self_known(void)
{
    return own_node;
}

void tool_nodes_load(struct tool_nodes *nodes)
{
    nodes->count = node_infos_fetch(&nodes->list, &own_node);
    /* Whoever only reads has lost nothing with a daemon that goes away. */
    if (nodes->count < 0)
        errx(1, "cannot list the nodes: %s",
             tool_reason(nodes->count == -EIO ? EBUSY : -nodes->count));
    nodes->self = own_node;
}

void tool_nodes_free(struct tool_nodes *nodes)
{
    free(nodes->list);
    nodes->list = NULL;
    nodes->count = 0;
}

const struct bproc_node_info_t *tool_nodes_find(const struct tool_nodes *nodes, int node)
{
    /* They come in their order, and mostly there is every number. */
    if (node >= 0 && node < nodes->count && nodes->list[node].node == node)
        return &nodes->list[node];
    for (int i = 0; i < nodes->count; i++)
        if (nodes->list[i].node == node)
            return &nodes->list[i];
    return NULL;
}
