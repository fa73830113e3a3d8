/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The home slave: a slaved on this machine, in whose process space the processes live that nodes
 * send to the master. It is ours to start, but like any slave it outlives us and comes back to
 * the next masterd; a second one gives way to it.
 *
 * home_start() makes its keys and starts it; from then on it is started again whenever it has not
 * been connected for some seconds.
 */
#ifndef MASTERD_HOME_H
#define MASTERD_HOME_H

#include <stddef.h>

/*
 * `config`: the file that it is to read as well; `foreground`, `verbose`: as we were asked to be.
 * 0, or -errno with a reason in text[len]. Blocking.
 */
int home_start(const char *config, int foreground, int verbose, char *text, size_t len);
void home_stop(void);

#endif
