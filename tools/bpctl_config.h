/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `bpctl config`: a configuration file is checked, or shown as the daemons take it, defaults
 * included. Needs no daemon. Reads its own arguments (argv[0] is `config`), ends the tool with a
 * message and status 1 when it fails, else returns the exit status.
 */
#ifndef TOOLS_BPCTL_CONFIG_H
#define TOOLS_BPCTL_CONFIG_H

/* `config check [FILE]`, `config show [--json] [FILE]`. Blocks for the file. */
int config_run(int argc, char **argv);

#endif
