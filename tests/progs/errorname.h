/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What programs in tests print for an errno of the library's, as shell scripts compare it. */
#ifndef TESTS_PROGS_ERRORNAME_H
#define TESTS_PROGS_ERRORNAME_H

#include <string.h>
#include <sys/bproc.h>

/* Its name, "?" if it has none. */
static const char *error_name(int error)
{
    static const char *const own[] = { "BE_INVALIDNODE", "BE_NODEDOWN", "BE_SAMENODE",
                                       "BE_SLAVEDIED", "BE_INVALIDPROC" };

    if (error >= BE_INVALIDNODE && error <= BE_INVALIDPROC)
        return own[error - BE_INVALIDNODE];
    return strerrorname_np(error) ? strerrorname_np(error) : "?";
}

#endif
