/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "common/conn.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/reaper.h"
#include "common/spawn.h"
#include "slaved/link.h"
#include "slaved/power.h"

static struct {
    const struct conf *conf;
    struct frame_header asked;
    node_state what;            /* NODE_DOWN: no command runs */
} power;

void power_init(const struct conf *conf)
{
    power.conf = conf;
}

static char *command_of(node_state what)
{
    switch (what) {
    case NODE_REBOOT: return power.conf->reboot_command;
    case NODE_HALT: return power.conf->halt_command;
    case NODE_PWROFF: return power.conf->pwroff_command;
    default: return NULL;
    }
}

static void command_ended(pid_t pid, int status, void *arg);

static int command_start(node_state what)
{
    char *argv[] = { (char[]){ "/bin/sh" }, (char[]){ "-c" }, command_of(what), NULL };
    pid_t pid;

    log_info("running `%s', as the master says", command_of(what));
    pid = spawn(argv, -1, -1);
    if (pid < 0)
        return (int)pid;
    power.what = what;
    return reaper_watch(pid, command_ended, NULL);
}

static void command_failed(const char *words)
{
    power.what = NODE_DOWN;
    log_warnx("%s", words);
    link_refuse(&power.asked, EIO, words);
}

static void halt_instead(void)
{
    power_arg arg = { .what = NODE_HALT };
    char words[200];
    int error;

    log_warnx("`%s' failed; halting instead", power.conf->pwroff_command);
    link_event(P_NODE_POWER, FRAME_XDR(power_arg), &arg);
    error = command_start(NODE_HALT);
    if (!error)
        return;
    snprintf(words, sizeof(words), "cannot run `%s': %s", power.conf->halt_command,
             strerror(-error));
    command_failed(words);
}

/* A machine that goes down ends the command that told it to, as it ends everything. */
static int command_succeeded(int status)
{
    if (WIFEXITED(status))
        return WEXITSTATUS(status) == 0;
    return WTERMSIG(status) == SIGTERM || WTERMSIG(status) == SIGHUP ||
           WTERMSIG(status) == SIGKILL;
}

static void command_ended(pid_t pid, int status, void *arg)
{
    char words[300];

    (void)pid;
    (void)arg;
    if (WIFSTOPPED(status))
        return;
    if (command_succeeded(status)) {
        power.what = NODE_DOWN;
        link_reply(&power.asked);
        return;
    }
    if (power.what == NODE_PWROFF) {
        halt_instead();
        return;
    }
    snprintf(words, sizeof(words), "`%s' %s %d", command_of(power.what),
             WIFEXITED(status) ? "exited with" : "was killed by signal",
             WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    command_failed(words);
}

void power_take(const struct frame_header *header, const uint8_t *body)
{
    char words[200];
    power_arg arg;
    int error;

    if (conn_decode(power_arg, header, body, &arg) < 0 || !command_of(arg.what)) {
        link_break("message does not decode");
        return;
    }
    if (power.what != NODE_DOWN) {
        link_refuse(header, EALREADY, "an earlier order is still being carried out");
        return;
    }
    power.asked = *header;
    error = FAULT(FAULT_SLAVED_POWER);
    if (!error)
        error = command_start(arg.what);
    if (!error)
        return;
    snprintf(words, sizeof(words), "cannot run `%s': %s", command_of(arg.what), strerror(-error));
    command_failed(words);
}
