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
 * message tells it that its memory is whole, or is there when it touches it. On this machine the
 * next message is the process's, and the twin ends.
 *
 * A process that becomes its ghost before its memory has been read leaves a holder behind, another
 * child, which shares the memory and does nothing. Whoever reads ends it, or the ghost's end.
 */
#ifndef BPROC_TWIN_H
#define BPROC_TWIN_H

typedef enum {
    TWIN_NONE,          /* there is none, and nothing was said */
    TWIN_VERDICT,       /* it is at the gate: the process's, or the twin's where it was restored */
    TWIN_GHOST          /* the process is to be the ghost, and its memory must stay as it is */
} twin_fate;

/*
 * Makes a twin, if that is worth it and possible, says P_GATE_REACHED at `gate` and waits there.
 * `lazy`: with a holder; *node is then set for TWIN_GHOST. Blocks.
 */
twin_fate twin_part(int gate, int lazy, int *node);

#endif
