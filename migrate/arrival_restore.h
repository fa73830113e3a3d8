/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The restore of an arrived process by CRIU. Part of arrival.h.
 *
 * Life: arrival_prepare() has CRIU loaded as the child of whoever will be the process's parent;
 * arrival_restore_ahead() asks it for the restore before the image is here, which it is not to read
 * until then (imagegate.h); arrival_restore() makes the image ready and lets CRIU read it, or asks
 * only then, and waits for it. Its worker is let go of by arrival_release(). All block.
 */
#ifndef BPROC_ARRIVAL_RESTORE_H
#define BPROC_ARRIVAL_RESTORE_H

struct arrival;

int arrival_is_restored(const struct arrival *arrival);

/*
 * Before its image is here: takes the number for it in the process space and has CRIU loaded there,
 * if it is to be restored. As arrival_launch().
 */
int arrival_prepare(struct arrival *arrival);

/*
 * When all but the image is here: the files that it has mapped, the ends of its streams. Does
 * nothing for one whose restore has to wait for its image. As arrival_launch().
 */
int arrival_restore_ahead(struct arrival *arrival);

/* With the image: 0 when the process waits at its gate, or -errno, perhaps with a reason. */
int arrival_restore(struct arrival *arrival);

#endif
