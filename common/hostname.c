/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/hostname.h"

/* RFC 1035; underscores are no host name's, but in use. */
#define HOSTNAME_MAX 253
#define LABEL_MAX 63
#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool label_good(const char *label, size_t len)
{
    return len > 0 && len <= LABEL_MAX && strspn(label, LETTERS DIGITS "-_") >= len &&
           label[0] != '-' && label[len - 1] != '-';
}

bool hostname_good(const char *text)
{
    struct in_addr addr;
    const char *label = text;
    size_t len = strcspn(label, ".");

    if (inet_pton(AF_INET, text, &addr) == 1)
        return true;
    if (strlen(text) > HOSTNAME_MAX)
        return false;
    while (label_good(label, len)) {
        /* A dot at the end says that the name is complete. */
        if (label[len] == '\0' || label[len + 1] == '\0')
            return strspn(label, DIGITS) < len;
        label += len + 1;
        len = strcspn(label, ".");
    }
    return false;
}
