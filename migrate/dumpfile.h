/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image in a file: what bproc_dump() writes and bproc_undump() reads. The file is a user's to
 * keep, but not to make: CRIU, which is root, believes what an image says. So the daemon that dumps
 * signs it with the key of its machine, and an image is used only if the master or the machine
 * itself has signed it. Until that is sure nothing of it is kept in root's memory: the file is read
 * twice, and the library puts what comes from a pipe into a file in the caller's memory first.
 *
 * Bytes: the magic; a P_DUMP_HEAD frame; for each file P_BULK_FILE and that many raw bytes; the
 * frame P_BULK_END; P_DUMP_SEAL with the certificate and the signature of all that precedes. Frames
 * are those of frame.h, and with them goes the version of the protocol.
 */
#ifndef BPROC_DUMPFILE_H
#define BPROC_DUMPFILE_H

#include <openssl/ssl.h>

#include "migrate/files.h"

/*
 * Writes the image in the directory `image` with those of `files` that are to be sent, and says
 * what `head` does of the process; head->files is filled in. `ctx` has the key. 0 or -errno; their
 * bytes are added to *bytes. Blocks as the descriptor does.
 */
int dumpfile_write(int fd, SSL_CTX *ctx, dump_head *head, const struct files *files, int image,
                   uint64_t *bytes);

/*
 * Reads one, from where the file's offset is: the image goes into the empty directory `image`, the
 * mapped files beside it, where `files` finds them; *head, without these, is the caller's to free.
 * On success the offset is behind it. 0; -EPROTO: not an image, or of another release; -EBADMSG:
 * changed, or signed by nobody who counts; -EINVAL: no regular file; another -errno. Blocks as the
 * file does; one that gives less than a megabyte a second kills the process by SIGALRM.
 */
int dumpfile_read(int fd, SSL_CTX *ctx, dump_head *head, struct files *files, int image);

/* Whether one beside it has a name that CRIU gives. */
int dumpfile_is_image(const char *name);

#endif
