/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "config.h"

#include "lab/command.h"
#include "lab/die.h"
#include "lab/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int command_status(int error)
{
    return error == ENOENT ? ENTER_NOT_FOUND : ENTER_CANNOT_RUN;
}

static const struct passwd *user_find(const char *user)
{
    const struct passwd *found = getpwnam(user);
    char *end;
    long uid = strtol(user, &end, 10);

    if (found == NULL && *user != '\0' && *end == '\0')
        found = getpwuid((uid_t)uid);
    if (found == NULL)
        die(ENTER_FAILED, "cannot run as %s: no such user", user);
    return found;
}

static void user_become(const char *user)
{
    const struct passwd *who = user_find(user);

    if (initgroups(who->pw_name, who->pw_gid) < 0 || setgid(who->pw_gid) < 0
        || setuid(who->pw_uid) < 0)
        die(ENTER_FAILED, "cannot run as %s: %s", user, strerror(errno));
    setenv("USER", who->pw_name, 1);
    setenv("LOGNAME", who->pw_name, 1);
    setenv("HOME", who->pw_dir, 1);
    setenv("SHELL", who->pw_shell, 1);
}

_Noreturn void command_run(const struct enter *enter, const sigset_t *mask, int pty)
{
    int error, fd;

    if (pty >= 0)
        pty_take(pty);
    else
        setpgid(0, 0);
    if (enter->user != NULL)
        user_become(enter->user);
    sigprocmask(SIG_SETMASK, mask, NULL);
    for (fd = 0; fd < 3 && pty < 0; fd++)
        if (enter->closed[fd])
            close(fd);
    /* A file of the caller's mount namespace would keep CRIU from dumping the command. */
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    execvp(enter->argv[0], enter->argv);
    error = errno;
    die(command_status(error), "cannot run %s: %s", enter->argv[0], strerror(error));
}

_Noreturn void command_daemonize(const struct enter *enter, const sigset_t *mask, int result)
{
    int sig, null, log, error = 0;

    setsid();
    for (sig = 1; sig < NSIG; sig++)
        signal(sig, SIG_DFL);
    null = open("/dev/null", O_RDONLY);
    log = open(enter->log, O_WRONLY | O_APPEND | O_CREAT, 0644);
    if (chdir("/") < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
        error = errno;
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    sigprocmask(SIG_SETMASK, mask, NULL);
    if (error == 0) {
        execvp(enter->argv[0], enter->argv);
        error = errno;
    }
    _exit(write(result, &error, sizeof(error)) == sizeof(error) ? 0 : ENTER_FAILED);
}
