/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image whose process is under a restraint when it is restored, whatever the image says: it was
 * sent by a node, or made before its user was restrained.
 */
#ifndef MIGRATE_IMAGERESTRAIN_H
#define MIGRATE_IMAGERESTRAIN_H

#include "proto/bproc.h"

/*
 * Only ever takes rights away. 0; -EPROTO if the image is none, -ENOMEM, or the errno of a file
 * operation. Does not block.
 */
int imagerestrain_set(int dir_fd, const restraint *least);

#endif
