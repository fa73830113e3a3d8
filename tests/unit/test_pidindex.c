/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "masterd/pidindex.h"
#include "tests/unit/tap.h"

int main(void)
{
    is_int(pidindex_next(7, PIDINDEX_START), PIDINDEX_END, "a number that nobody has");
    is_int(pidindex_add(7, 5000), 0, "a number on a node");
    is_int(pidindex_add(7, -1), 0, "and on the master");
    is_int(pidindex_add(7, 3), 0, "and on another node");
    is_int(pidindex_add(8, 4), 0, "another number");
    is_int(pidindex_next(7, PIDINDEX_START), -1, "the master comes first");
    is_int(pidindex_next(7, -1), 3, "then the nodes in their order");
    is_int(pidindex_next(7, 3), 5000, "each of them");
    is_int(pidindex_next(7, 5000), PIDINDEX_END, "and no more");
    pidindex_remove(7, 3);
    pidindex_remove(7, 9);
    is_int(pidindex_next(7, -1), 5000, "one that is taken out is gone");
    pidindex_remove(7, -1);
    pidindex_remove(7, 5000);
    is_int(pidindex_next(7, PIDINDEX_START), PIDINDEX_END, "all of them are");
    is_int(pidindex_next(8, PIDINDEX_START), 4, "the other number is there");
    pidindex_remove(8, 4);
    return done_testing();
}
