/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program that starts on a node while the caller goes on: a child of his that is handed over. */
#ifndef BPROC_PROGRAMFLIGHT_H
#define BPROC_PROGRAMFLIGHT_H

#include "libbproc/flight.h"
#include "libbproc/program.h"

/* Fills in how `program` flies; it must last as long as the plan. */
void programflight_plan(struct flight_plan *plan, int node, int flags,
                        const struct program *program);

#endif
