/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The twin of a process that leaves: a child of its own without its large memory, dumped in its
 * place, so that an image is small however large the process is. The memory goes its own way, from
 * the process to where the twin has been restored.
 *
 * Life: the process, alone with its one thread and with all signals blocked, moves its large
 * private regions out of the way, which leaves empty ones of the same kind; forks without what was
 * moved; and moves them back. From there on neither touches that memory: the process, because it is
 * being read; the twin, because it has none. Both wait at the same gate. Where the twin is restored
 * GATE_MEMORY asks it for a userfaultfd of its memory, through which that is filled; the next
 * message tells it that its memory is whole. On this machine the next message is the process's, and
 * the twin ends.
 */
#ifndef BPROC_TWIN_H
#define BPROC_TWIN_H

/*
 * Makes a twin, if that is worth it and possible, says P_GATE_REACHED at `gate` and waits there. 0:
 * there is none, and nothing was said. 1: the verdict has come; this is the process, with its twin
 * gone, or the twin where it was restored, with its memory whole. Blocks.
 */
int twin_part(int gate);

#endif
