/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <limits.h>
#include <string.h>
#include <sys/bproc.h>

const char *bproc_strerror(int error)
{
    if (error < 0)
        error = error == INT_MIN ? INT_MAX : -error;
    switch (error) {
    case BE_INVALIDNODE:
        return "Invalid node number";
    case BE_NODEDOWN:
        return "Node is down";
    case BE_SAMENODE:
        return "Move to same node";
    case BE_SLAVEDIED:
        return "Slave node died";
    case BE_INVALIDPROC:
        return "Invalid process ID";
    default:
        return strerror(error);
    }
}
