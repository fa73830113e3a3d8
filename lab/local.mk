# SPDX-License-Identifier: GPL-2.0-or-later

pkglibexec_PROGRAMS += lab/bplab-run

lab_bplab_run_SOURCES = lab/bplab-run.c \
	lab/boot.c lab/boot.h lab/halt.c \
	lab/command.c lab/command.h \
	lab/die.c lab/die.h \
	lab/enter.c lab/enter.h \
	lab/pidfile.c lab/pidfile.h \
	lab/pty.c lab/pty.h \
	lab/relay.c lab/relay.h \
	lab/view.c lab/view.h
# Never instrumented: a node's init outlives every test, and exec is to cost nothing.
lab_bplab_run_CFLAGS = $(WARNING_CFLAGS) $(HARDENING_CFLAGS)

bin_SCRIPTS += lab/bplab

# One script for users, one file for each of its concerns here.
BPLAB_PARTS = lab/cli.bash lab/state.bash lab/node.bash lab/daemon.bash lab/main.bash

lab/bplab: $(BPLAB_PARTS) Makefile
	$(SUBSTITUTE) $(BPLAB_PARTS:%=$(srcdir)/%) > $@.tmp && chmod +x $@.tmp && mv -f $@.tmp $@

EXTRA_DIST += $(BPLAB_PARTS)
CLEANFILES += lab/bplab
