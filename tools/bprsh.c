/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bprsh: what programs take for rsh or ssh. One command on one node, by the user's shell there, as
 * if he had logged in.
 */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/bprsh_login.h"
#include "tools/bprsh_options.h"
#include "tools/host.h"
#include "tools/session.h"
#include "tools/tool.h"

#define SUBSYSTEM_SHELL "/bin/sh"

/* Where systems keep the one subsystem that is in use. */
static const char sftp_command[] =
    "for server in /usr/lib/openssh /usr/libexec/openssh /usr/libexec /usr/lib/ssh; do "
    "[ ! -x $server/sftp-server ] || exec $server/sftp-server; done; "
    "echo 'no sftp-server on this node' >&2; exit 127";

static bool terminal_wanted(const struct agent_options *options)
{
    bool here = isatty(STDIN_FILENO);

    if (options->terminal == TERMINAL_FORCE)
        return true;
    if (options->terminal == TERMINAL_ASK && !here)
        warnx("no terminal on the node: standard input is none");
    if (options->terminal == TERMINAL_DEFAULT)
        return here && !options->command;
    return here && options->terminal == TERMINAL_ASK;
}

/* Arguments of the shell on the node: a login shell without a command. */
static void shell_arguments(char *argv[4], const char *shell, const char *command)
{
    const char *slash = strrchr(shell, '/');
    const char *name = slash ? slash + 1 : shell;

    memset(argv, 0, 4 * sizeof(*argv));
    if (asprintf(&argv[0], "%s%s", command ? "" : "-", name) < 0)
        errx(AGENT_FAILED, "%s", strerror(ENOMEM));
    if (command) {
        argv[1] = (char *)(uintptr_t)"-c";
        argv[2] = (char *)(uintptr_t)command;
    }
}

/* As a shell gives it: 128 and more for a death by signal, but 255 if the node was lost. */
static int status_of(int status, int node, const char *host)
{
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    if (WTERMSIG(status) == SIGKILL && node >= 0 && bproc_nodestatus(node) == bproc_node_down) {
        warnx("%s: the node was lost", host);
        return AGENT_FAILED;
    }
    return 128 + WTERMSIG(status);
}

static int node_find(const char *host)
{
    int node = host_find(host);

    if (node == BPROC_NODE_NONE)
        errx(AGENT_FAILED, "cannot find node %s: %s", host,
             errno ? tool_reason(errno) : "no such node");
    return node;
}

int main(int argc, char **argv)
{
    struct agent_options options;
    struct session session = { 0 };
    struct login login;
    char *shell_argv[4];
    const char *command;
    int error, status;

    /* What the caller forgot to close would stay open as long as the command runs. */
    closefrom(STDERR_FILENO + 1);
    tool_start(STDOUT_SWALLOWS);
    agent_options_read(&options, argc, argv);
    login_find(&login, options.user);
    session.node = node_find(options.host);
    session.terminal = terminal_wanted(&options);
    command = options.subsystem ? sftp_command : options.command;
    session.path = options.subsystem ? SUBSYSTEM_SHELL : login.shell;
    shell_arguments(shell_argv, session.path, command);
    session.argv = shell_argv;
    session.envp = login_environment(&login, session.node, session.terminal);
    session.folder = login.home;
    session.failure = AGENT_FAILED;
    session.no_input = options.no_input || tool_stdin_is_null();
    session.become = login.other ? login_become : NULL;
    session.user = &login;
    error = session_run(&session, &status);
    if (error)
        errx(AGENT_FAILED, "cannot run a command on %s: %s", options.host, tool_reason(-error));
    return status_of(status, session.node, options.host);
}
