/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dumped image, between dump and restore: what CRIU would insist on and fork(2) would not.
 *
 * CRIU takes an open file for the one it dumped only if size, mode and build-id are the same. But
 * a file that is open is the node's own, under the same path; only what is mapped has to be equal.
 */
#ifndef MIGRATE_IMAGEEDIT_H
#define MIGRATE_IMAGEEDIT_H

#include <sys/types.h>

/*
 * Takes those demands off the regular files that descriptors in the image at `dir_fd` refer to, and
 * keeps them apart from files that were sent because they are mapped. Mapped files, and the
 * executable, stay as they are. 0; -EPROTO if the image is none, -ENOMEM
 * or the errno of a file operation. Does not block.
 */
int imageedit_open_files(int dir_fd);

/*
 * Gives the files without a name that process `pid` has open numbers of its own. CRIU makes each
 * anew under a name with that number in it, in the place where the file was, for a moment; restores
 * of several processes with the same files would meet there. Results as above.
 */
int imageedit_nameless(int dir_fd, pid_t pid);

/*
 * Names the session that the process will be in: CRIU's own there. CRIU changes a foreign one into
 * that by itself, but with it every group of the same number, as the session leader's and his
 * children's is, and not if there is one. Results as above.
 */
int imageedit_session(int dir_fd, pid_t sid);

/*
 * Gives the process, whose number was `from`, the number `to`: in the tree and in the names of its
 * files. It has one thread. Results as above.
 */
int imageedit_number(int dir_fd, pid_t from, pid_t to);

#endif
