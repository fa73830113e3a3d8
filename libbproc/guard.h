/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a fork, by whichever thread, must not find half done: a descriptor of the library's that no
 * list names yet, a signal handler of its own. Who does such things is inside the guard meanwhile;
 * every fork of the process waits for him. A thread may enter more than once, but it must not wait
 * for another lock inside, because a thread that forks may hold that one when it comes here.
 */
#ifndef BPROC_GUARD_H
#define BPROC_GUARD_H

/* Blocks while another thread is inside, which is never for longer than a fork. */
void guard_enter(void);

/* A child leaves as often as its parent's thread had entered. */
void guard_leave(void);

#endif
