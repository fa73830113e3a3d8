/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A userfaultfd that a process has handed out and may still have itself: whose events are read
 * without ever waiting, whatever the process does to it, and whose missing pages can be made such
 * that who touches them is killed. Nothing here owns a descriptor.
 */
#ifndef BPROC_USERFAULT_H
#define BPROC_USERFAULT_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/userfaultfd.h>

/* A descriptor of another kind would do something else with our calls. */
bool userfault_is(int fd);

/*
 * Switches it on, once. `events`: the process is to run meanwhile, with its forks and changes of
 * its maps told. 1; 0: it is on, but the kernel has not all that this takes, and the process must
 * not run before all is there; -errno.
 */
int userfault_begin(int fd, uint64_t events);

/* The next event. 1; 0: there is none. */
int userfault_hear(int fd, struct uffd_msg *msg);

/*
 * A page that will never come: touching it raises SIGBUS from now on, if it is not there. 0 or
 * -errno; -ESRCH: the process is no more.
 */
int userfault_poison(int fd, uint64_t page);

/* Nobody has that memory any more. May wait for who changes it, as the one before. */
bool userfault_is_over(int fd);

/* Whoever waits for a page looks again, so that there is an event of it again. */
void userfault_wake(int fd);

#endif
