/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "migrate/ghosttext.h"

char *ghosttext_format(char *text, size_t size, int number)
{
    char *at = text + size - 1;

    *at = '\0';
    do
        *--at = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    return at;
}

int ghosttext_number(const char *text)
{
    int sign = *text == '-' ? -1 : 1, number = 0;

    for (text += *text == '-'; *text >= '0' && *text <= '9'; text++)
        number = number * 10 + (*text - '0');
    return sign * number;
}

const char *ghosttext_name(const char *path)
{
    const char *name = path;

    for (; *path; path++)
        if (*path == '/')
            name = path + 1;
    return name;
}
