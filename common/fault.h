/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbered places at which a test can make a program die or a step fail, so that every stage of a
 * transfer can be cut short on purpose. BPROC_FAULT="N", "N:kill" (SIGKILL to itself, the default),
 * "N:stop" (SIGSTOP), "N:exit" (status 1) or "N:error" (the step fails with EIO). Read once.
 * Without the variable a point costs a comparison.
 */
#ifndef BPROC_FAULT_H
#define BPROC_FAULT_H

enum fault {
    FAULT_NONE = 0,

    /* masterd, and 2 to 8 also slaved when it leads: 1-19 */
    FAULT_MASTERD_ASKED = 1,        /* P_MOVE_ASK checked, before its answer */
    FAULT_MASTERD_HANDOVER = 2,     /* handover taken in, before the mover hears of it */
    FAULT_MASTERD_STARTED = 3,      /* P_MOVE_START sent */
    FAULT_MASTERD_READY = 4,        /* image waits on the node (program runs), before the commit */
    FAULT_MASTERD_COMMIT = 5,       /* P_MOVE_COMMIT sent */
    FAULT_MASTERD_COMMITTED = 6,    /* process runs, before its gate is opened */
    FAULT_MASTERD_GATE = 7,         /* gate opened, before the ghost's HELLO */
    FAULT_MASTERD_HELLO = 8,        /* ghost is there, before the caller's reply */
    FAULT_MASTERD_EXITED = 9,       /* P_EXITED taken in, before the ghost hears of it */
    FAULT_MASTERD_EXIT_TOLD = 10,   /* ghost told, before P_EXIT_ACK */

    /* mover: 20-39 */
    FAULT_MOVER_STARTED = 20,       /* nothing done yet */
    FAULT_MOVER_DUMPING = 21,       /* CRIU is at work */
    FAULT_MOVER_DUMPED = 22,        /* image is whole, not sent */
    FAULT_MOVER_SENT = 23,          /* image sent, node restores */
    FAULT_MOVER_READY = 24,         /* image waits on the node, masterd does not know */
    FAULT_MOVER_COMMITTED = 25,     /* process runs, masterd does not know by us */
    FAULT_MOVER_MEMORY = 26,        /* process runs, without all of its memory: a lazy one */
    FAULT_MOVER_BATCH = 27,         /* the same, and a batch of that is on its way in part */
    /* receiver: 40-59 */
    FAULT_RECEIVER_REGISTERED = 40, /* slaved knows of the transfer */
    FAULT_RECEIVER_RECEIVED = 41,   /* image is whole */
    FAULT_RECEIVER_LAUNCHED = 42,   /* process waits at its gate */
    FAULT_RECEIVER_COMMIT = 43,     /* told to commit, or to do it by itself */
    FAULT_RECEIVER_GATE = 44,       /* gate opened, mover does not know */
    FAULT_RECEIVER_FILL = 45,       /* about to bring a lazy process's memory, for which it waits */
    FAULT_RECEIVER_FILLER = 46,     /* is to bring it, and nobody knows of that yet */
    /* slaved: 60-79 */
    FAULT_SLAVED_REGISTERED = 60,   /* a transfer has begun */
    FAULT_SLAVED_LAUNCH = 61,       /* launch asked for, the space not yet */
    FAULT_SLAVED_LAUNCHED = 62,     /* the space has launched, or refused; receiver does not know */
    FAULT_SLAVED_COMMIT = 63,       /* committed by the receiver, not yet counted */
    FAULT_SLAVED_EXITED = 64,       /* ended, before the master hears of it */
    /* space: 80-99 */
    FAULT_SPACE_LAUNCH = 80,        /* launch asked for, nothing forked */
    FAULT_SPACE_FORKED = 81,        /* forked, before the answer */
    /* slaved, told by the administrator: 100-119 */
    FAULT_SLAVED_POWER = 100,       /* to reboot, halt or go off; no command runs */
    FAULT_SLAVED_ROOT = 101,        /* to change the root; the space does not know */
    FAULT_SLAVED_ROOT_MADE = 102,   /* the space has it, the master does not know */
    FAULT_SLAVED_RECONNECT = 103,   /* to reconnect; nothing done yet */
    /* receiver, children of a vector: 120-139 */
    FAULT_RECEIVER_SERVE = 120,     /* a batch of memory is about to go to another node */
    FAULT_RECEIVER_PULLED = 121,    /* all memory has come, its mover does not know */
    FAULT_RECEIVER_FORK = 122,      /* about to be forked by another one */
    FAULT_RECEIVER_SHARE = 123,     /* a batch of memory is about to be listed for other nodes */

    /* no places to die at: bounds of waits, what another machine would lack: 140-159 */
    FAULT_BOUND_HOLD = 140,         /* masterd: who waits on its node for others of its vector */
    FAULT_BOUND_IDLE = 141,         /* mover: a CRIU that is ready waits for an order */
    FAULT_BOUND_ANSWER = 142,       /* mover: a node says nothing, and takes nothing */
    FAULT_LACK_SPARING = 150        /* space: the kernel is one before 5.16, see pidfork.h */
};

/* 0, or -EIO when the variable says that this step is to fail. May not return. */
int fault_point(int number);

#define FAULT(number) fault_point(number)

/* The bound of a wait, which "N:error" makes a second long. */
#define FAULT_SECONDS(number, seconds) (FAULT(number) < 0 ? 1 : (seconds))

#endif
