/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <grp.h>
#include <fnmatch.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/bprsh_login.h"
#include "tools/bprsh_options.h"

#define SHELL_DEFAULT "/bin/sh"
#define PATH_USER "/usr/local/bin:/usr/bin:/bin"
#define PATH_ROOT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Without what belongs to the caller's machine or to his session there. */
static const char env_default[] =
    "*,!DISPLAY,!WAYLAND_DISPLAY,!XAUTHORITY,!XDG_*,!DBUS_*,!SSH_*,!GPG_*,!TMUX*,!STY,!WINDOWID,"
    "!TMPDIR,!MAIL";

/* A login sets these; the caller's are of another one. */
static const char *const env_login[] = { "HOME", "USER", "LOGNAME", "SHELL", "PWD", "OLDPWD",
                                         "SHLVL", "_", "BPROC_NODE" };

static void *memory_check(void *memory)
{
    if (!memory)
        errx(AGENT_FAILED, "%s", strerror(ENOMEM));
    return memory;
}

static const char *or_else(const char *value, const char *other)
{
    return value && *value ? value : other;
}

static void login_fill(struct login *login, const struct passwd *entry)
{
    login->name = memory_check(strdup(entry->pw_name));
    login->home = memory_check(strdup(or_else(entry->pw_dir, "/")));
    login->shell = memory_check(strdup(or_else(entry->pw_shell, SHELL_DEFAULT)));
    login->uid = entry->pw_uid;
    login->gid = entry->pw_gid;
}

/* One whom no table knows has what his environment says. */
static void login_guess(struct login *login)
{
    char *name;

    if (asprintf(&name, "%u", getuid()) < 0)
        memory_check(NULL);
    login->name = name;
    login->home = or_else(getenv("HOME"), "/");
    login->shell = or_else(getenv("SHELL"), SHELL_DEFAULT);
    login->uid = getuid();
    login->gid = getgid();
}

void login_find(struct login *login, const char *name)
{
    const struct passwd *entry;

    *login = (struct login) { 0 };
    errno = 0;
    entry = name ? getpwnam(name) : getpwuid(getuid());
    if (!entry && name)
        errx(AGENT_FAILED, "cannot be user %s: %s", name, errno ? strerror(errno) : "no such user");
    if (entry)
        login_fill(login, entry);
    else
        login_guess(login);
    login->other = login->uid != getuid();
    if (login->other && getuid() != 0)
        errx(AGENT_FAILED, "cannot be user %s: only root can be another one", name);
}

int login_become(const void *user)
{
    const struct login *login = user;

    if (initgroups(login->name, login->gid) < 0 || setgid(login->gid) < 0)
        return -1;
    return setuid(login->uid);
}

static bool name_is_login(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(env_login) / sizeof(*env_login); i++)
        if (strlen(env_login[i]) == len && memcmp(env_login[i], name, len) == 0)
            return true;
    return false;
}

/* Does the last of the patterns that fits let it through? */
static bool name_wanted(const char *name, const char *patterns)
{
    char *copy = memory_check(strdup(patterns)), *rest = copy, *pattern;
    bool wanted = false;

    while ((pattern = strsep(&rest, ", \t"))) {
        bool out = *pattern == '!';

        if (*pattern && fnmatch(pattern + out, name, 0) == 0)
            wanted = !out;
    }
    free(copy);
    return wanted;
}

static bool variable_wanted(const char *variable, bool terminal)
{
    size_t len = strcspn(variable, "=");
    const char *patterns = or_else(getenv("BPROC_AGENT_ENV"), env_default);
    char *name;
    bool wanted;

    if (name_is_login(variable, len))
        return false;
    name = memory_check(strndup(variable, len));
    wanted = name_wanted(name, patterns);
    if (strcmp(name, "TERM") == 0)
        wanted = terminal;
    free(name);
    return wanted;
}

static void variable_add(char **list, size_t *count, const char *name, const char *value)
{
    if (asprintf(&list[(*count)++], "%s=%s", name, value) < 0)
        memory_check(NULL);
}

char **login_environment(const struct login *login, int node, bool terminal)
{
    size_t count = 0, callers = 0;
    char number[16];
    char **list;
    bool path = false;

    while (environ[callers])
        callers++;
    list = memory_check(calloc(callers + 8, sizeof(*list)));
    for (char **variable = environ; *variable; variable++)
        if (variable_wanted(*variable, terminal)) {
            path = path || strncmp(*variable, "PATH=", 5) == 0;
            list[count++] = *variable;
        }
    variable_add(list, &count, "HOME", login->home);
    variable_add(list, &count, "USER", login->name);
    variable_add(list, &count, "LOGNAME", login->name);
    variable_add(list, &count, "SHELL", login->shell);
    if (!path)
        variable_add(list, &count, "PATH", login->uid == 0 ? PATH_ROOT : PATH_USER);
    snprintf(number, sizeof(number), "%d", node);
    variable_add(list, &count, "BPROC_NODE", number);
    return list;
}
