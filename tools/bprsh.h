/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bprsh: the face of bpsh that programs take for rsh or ssh. One command on one node, by the user's
 * shell there, as if he had logged in. Chosen by the name it is called by.
 */
#ifndef TOOLS_BPRSH_H
#define TOOLS_BPRSH_H

#include <stdbool.h>

/* Is that the name of the remote shell and not of bpsh? */
bool bprsh_called(const char *name);

/* main() of it. */
int bprsh_main(int argc, char **argv);

#endif
