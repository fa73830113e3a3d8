/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may be the name of a machine, whether or not there is one of that name. */
#ifndef BPROC_HOSTNAME_H
#define BPROC_HOSTNAME_H

#include <stdbool.h>

/*
 * Is it an IPv4 address in dotted form, or labels of letters, digits, hyphens and underscores,
 * between dots? The last label is no number, so that a mistyped address is not taken for a name.
 */
bool hostname_good(const char *text);

#endif
