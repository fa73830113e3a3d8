/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a worker (criuready.h) starts ends with it. CRIU tries what the kernel can by children that
 * sleep, or have stopped, until it kills them, and it can be killed first.
 *
 * Life: criuchild_bind() in the process that becomes a worker, before CRIU goes on. From then on
 * each child that it makes by fork() or clone() is killed when it ends. What CRIU restores is its
 * sibling, so no such child, and keeps nothing of this. Nothing here blocks.
 */
#ifndef BPROC_CRIUCHILD_H
#define BPROC_CRIUCHILD_H

void criuchild_bind(void);

#endif
