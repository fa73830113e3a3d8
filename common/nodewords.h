/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of nodes: words between blanks, commas and new lines; # begins a comment, which the end of
 * the line ends.
 */
#ifndef BPROC_NODEWORDS_H
#define BPROC_NODEWORDS_H

/*
 * The words of the file, between commas; malloc'd. NULL with the reason in *reason, which is not
 * freed and stays until the next call: a file that cannot be read, that is longer than 16 MiB, or
 * that is no text. Blocks as open() and read() do.
 */
char *nodewords_read(const char *path, const char **reason);

#endif
