/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What slaved has to know before it starts anything: its configuration, where its files lie, who
 * the master is, which CRIU there is. Filled in once, in the order of these functions; what is
 * amiss ends the program with the reason.
 */
#ifndef BPROC_SLAVED_SETUP_H
#define BPROC_SLAVED_SETUP_H

#include <limits.h>

#include "common/conf.h"
#include "slaved/options.h"

struct setup {
    struct options options;     /* the caller's, by options_read() */
    struct conf *conf;          /* the caller frees it */
    const char *state_dir;
    char over[PATH_MAX];        /* masterd's run folder */
    char tls_dir[PATH_MAX];
    char criu[PATH_MAX];        /* empty: there is none, as criu_missing says */
    char criu_prefix[PATH_MAX]; /* the folder above a private one's, or empty */
    char criu_missing[512];
};

/* The configuration, and the folders that follow from it. */
void setup_read(struct setup *setup);

/* Makes the run folder, in which there can be one slaved. */
void setup_run_dir(const struct setup *setup);

/* The master's host and port to the options; joins his cluster if they say so, which blocks. */
void setup_master(struct setup *setup);

/* 0; -ENOENT without a usable CRIU, which is logged: processes can only be executed here then. */
int setup_criu(struct setup *setup);

#endif
