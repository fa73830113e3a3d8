/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>

#include "libbproc/client.h"

static int list_change(lib_change what, const char *name)
{
    char path[PATH_MAX];
    lib_change_arg arg = { .what = what, .pattern = (char *)(uintptr_t)name };

    /* What a process has mapped is the file that a link leads to. */
    if (name[0] == '/' && realpath(name, path))
        arg.pattern = path;
    if (strlen(arg.pattern) > BPROC_MAX_LIB)
        return client_result(-ENAMETOOLONG);
    return client_result(client_call(P_LIB_CHANGE, FRAME_XDR(lib_change_arg), &arg, NULL, NULL,
                                     0));
}

int bproc_libclear(void)
{
    return list_change(LIB_CLEAR, "");
}

int bproc_libadd(const char *name)
{
    return name ? list_change(LIB_ADD, name) : client_result(-EFAULT);
}

int bproc_libdel(const char *name)
{
    return name ? list_change(LIB_DELETE, name) : client_result(-EFAULT);
}

static int list_pack(const lib_list *patterns, char **list)
{
    size_t len = 1;
    char *at;

    for (unsigned i = 0; i < patterns->lib_list_len; i++)
        len += strlen(patterns->lib_list_val[i]) + 1;
    at = *list = malloc(len);
    if (!at)
        return -ENOMEM;
    for (unsigned i = 0; i < patterns->lib_list_len; i++)
        at = stpcpy(at, patterns->lib_list_val[i]) + 1;
    *at = '\0';
    return (int)patterns->lib_list_len;
}

int bproc_liblist(char **list)
{
    lib_list patterns;
    int result;

    if (!list)
        return client_result(-EFAULT);
    *list = NULL;
    result = client_call(P_LIB_LIST, NULL, NULL, FRAME_XDR(lib_list), &patterns,
                         sizeof(patterns));
    if (!result) {
        result = list_pack(&patterns, list);
        frame_free(FRAME_XDR(lib_list), &patterns, sizeof(patterns));
    }
    return client_result(result);
}
