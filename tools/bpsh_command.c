/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/bpsh_command.h"

#define DEFAULT_PATH ":/bin:/usr/bin"
#define OPENER PKGLIBEXECDIR "/bproc-open"

/* "DIR/NAME", or "./NAME" for the empty element of a PATH. */
static char *path_join(const char *dir, size_t dir_len, const char *name)
{
    char *path;

    if (asprintf(&path, "%.*s/%s", dir_len ? (int)dir_len : 1, dir_len ? dir : ".", name) < 0)
        return NULL;
    return path;
}

static int path_check(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || access(path, X_OK) < 0)
        return -EACCES;
    return 0;
}

char *command_find(const char *name, const char *search)
{
    int error = ENOENT;

    if (strchr(name, '/'))
        return strdup(name);
    if (!search)
        search = DEFAULT_PATH;
    while (*name) {
        size_t len = strcspn(search, ":");
        char *path = path_join(search, len, name);
        int found;

        if (!path)
            return NULL;
        found = path_check(path);
        if (found == 0)
            return path;
        /* The first that is there but cannot be executed is the reason, as in a shell. */
        if (found == -EACCES)
            error = EACCES;
        free(path);
        if (search[len] == '\0')
            break;
        search += len + 1;
    }
    errno = error;
    return NULL;
}

/* `count` strings of `before`, then those of `args`. */
static char **argv_join(const char *const *before, size_t count, char *const *args)
{
    size_t more = 0;
    char **argv;

    while (args[more])
        more++;
    argv = calloc(count + more + 1, sizeof(*argv));
    if (!argv)
        return NULL;
    if (count > 0)
        memcpy(argv, before, count * sizeof(*argv));
    memcpy(argv + count, args, more * sizeof(*argv));
    return argv;
}

/* Puts in front of the command what opens the files. It is sent, as nodes need not have it. */
static int command_wrap(struct command *command, char **args, const struct command_files *files)
{
    const char *opener_args[] = {
        "bproc-open", files->in ? files->in : "", files->out ? files->out : "",
        files->err ? files->err : "", command->path
    };
    char *opener = strdup(OPENER);

    command->argv = argv_join(opener_args, sizeof(opener_args) / sizeof(*opener_args), args + 1);
    if (!opener || !command->argv) {
        free(opener);
        return -ENOMEM;
    }
    command->target = command->path;
    command->path = opener;
    command->sent = true;
    return 0;
}

int command_make(struct command *command, char **args, const struct command_files *files)
{
    int error = 0;

    *command = (struct command) { .path = command_find(args[0], getenv("PATH")) };
    if (!command->path)
        return -errno;
    if (files->in || files->out || files->err)
        error = command_wrap(command, args, files);
    else if (!(command->argv = argv_join(NULL, 0, args)))
        error = -ENOMEM;
    if (error)
        command_free(command);
    return error;
}

bool command_is_at_fault(const struct command *command, int error)
{
    static const int errors[] = { ENOENT, EACCES, ENOEXEC, ENOTDIR, ELOOP, ENAMETOOLONG, ETXTBSY,
                                  EISDIR, ELIBBAD, E2BIG };

    for (size_t i = 0; !command->target && i < sizeof(errors) / sizeof(*errors); i++)
        if (error == errors[i])
            return true;
    return false;
}

void command_free(struct command *command)
{
    free(command->path);
    free(command->target);
    free(command->argv);
    *command = (struct command) { 0 };
}
