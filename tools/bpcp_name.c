/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <fnmatch.h>
#include <string.h>

#include "tools/bpcp_name.h"

char *name_of_copy(const char *path)
{
    size_t end = strlen(path), start;

    while (end > 0 && path[end - 1] == '/')
        end--;
    start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    if (strspn(path + start, ".") == end - start && end - start <= 2)
        start = end;
    return strndup(path + start, end - start);
}

bool name_is_pattern(const char *name)
{
    return strpbrk(name, "*?[") != NULL;
}

bool name_answers(const char *name, const char *asked)
{
    return strcmp(name, asked) == 0 ||
           (name_is_pattern(asked) && fnmatch(asked, name, FNM_PERIOD) == 0);
}
