/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What stands for the standard streams of a process in an image that is kept in a file: a socket
 * that is connected to nothing on each. Where the image is used, the streams of whoever uses it
 * take their places; those that he has not got become /dev/null.
 */
#ifndef BPROC_PLACEHOLDERS_H
#define BPROC_PLACEHOLDERS_H

#include "libbproc/streams.h"

#define PLACEHOLDERS 3

/*
 * Puts one on each standard stream and describes it in `set`, which has room of zeros and nothing
 * to be freed. 0/-errno.
 */
int placeholders_put(struct streams *set);

/* Those that are still there where the image is used. */
void placeholders_drop(void);

#endif
