/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the process in an image that a node has sent may have of the machine: resource limits no
 * higher than the master has seen with it, and the login id that it had there, whatever the image
 * says.
 */
#ifndef BPROC_IMAGEBOUND_H
#define BPROC_IMAGEBOUND_H

#include <sys/types.h>

#include "proto/bproc.h"

/* 0; -EPROTO if the image is none, -ENOMEM, or the errno of a file operation. Does not block. */
int imagebound_set(int dir_fd, pid_t pid, const process_bounds *bounds);

#endif
