/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whom a command of bprsh runs as, and with which environment: one as after a login, over which
 * the caller's is laid. BPROC_AGENT_ENV says what of that: patterns as of sh with commas or blanks
 * between them, the last that fits a name counts, one that begins with `!` leaves out.
 */
#ifndef TOOLS_BPRSH_LOGIN_H
#define TOOLS_BPRSH_LOGIN_H

#include <stdbool.h>
#include <sys/types.h>

struct login {
    const char *name, *home, *shell;
    uid_t uid;
    gid_t gid;
    bool other;                     /* than the caller; then the caller is root */
};

/*
 * The user `name`, or the caller if it is NULL, to *login, for as long as the tool lives. Ends the
 * tool with a message and status 255 if there is none or the caller may not be him.
 */
void login_find(struct login *login, const char *name);

/* Makes the calling process the user of that `struct login`, for session.h. 0 or -1. */
int login_become(const void *user);

/* The environment for him on `node`, ended by NULL. Malloc'd; ends the tool without memory. */
char **login_environment(const struct login *login, int node, bool terminal);

#endif
