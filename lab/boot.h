/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Power for a node. boot makes the node's namespaces with an init in them, which builds the view
 * and then only reaps; halt kills that init, and the kernel kills with it whatever runs in the
 * node. The init starts behind a gate that opens when its pid is on record, and ends if the gate
 * closes before: no init is ever alive that a later halt could not find.
 *
 * Root in the node can end it, too, by a signal to the init, as in a container: SIGPWR switches it
 * off, SIGINT reboots it; so does reboot(2). Outside waits a supply, a process that then has bplab
 * boot it again, and ends in any case when the init does.
 */

#ifndef BPROC_LAB_BOOT_H
#define BPROC_LAB_BOOT_H

#include "lab/view.h"

#include <stdbool.h>

/* Boots the node called NAME with VIEW and returns when its files are in place: 0, or 1 after a
 * message. AGAIN, NULL ends, is the command that boots it after a reboot of its own; empty: it
 * stays down then. The init and its supply stay behind, outside the caller's session. Blocks for
 * as long as mounts take. */
int boot_run(const char *name, const struct view *view, char *const *again);

/* Kills the inits of the COUNT nodes at NODEDIRS and waits until everything in them has ended; if
 * REAPED, also, for a bounded time, until the host has taken notice, so that not even a zombie is
 * left. 0, also for a node that was down; 1 after a message when one does not end. */
int halt_run(char **nodedirs, int count, bool reaped);

#endif
