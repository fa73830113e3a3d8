# SPDX-License-Identifier: GPL-2.0-or-later
#
# The programs of tests/t/03*: fork's promises and what a parent sees of its child.

FORK_PROGS = \
	tests/progs/inherit_many tests/progs/inherit_memory tests/progs/inherit_process tests/progs/inherit_libc \
	tests/progs/inherit_files tests/progs/ghost_status tests/progs/ghost_signals \
	tests/progs/ghost_orphan tests/progs/ghost_job tests/progs/ghost_terminal \
	tests/progs/space_terminal tests/progs/space_second tests/progs/execmove_many \
	tests/progs/terminal_input \
	tests/progs/refused tests/progs/inherit_cwd tests/progs/inherit_crowd
check_PROGRAMS += $(FORK_PROGS)

tests_progs_inherit_many_SOURCES = tests/progs/inherit_many.c tests/progs/remote.h
tests_progs_inherit_many_LDADD = $(PROG_LDADD)
tests_progs_inherit_many_LDFLAGS = $(PROG_LINK)

tests_progs_inherit_memory_SOURCES = tests/progs/inherit_memory.c tests/progs/remote.h
tests_progs_inherit_memory_LDADD = $(PROG_LDADD)
tests_progs_inherit_memory_LDFLAGS = $(PROG_LINK)

tests_progs_inherit_process_SOURCES = tests/progs/inherit_process.c tests/progs/remote.h
tests_progs_inherit_process_LDADD = $(PROG_LDADD)
tests_progs_inherit_process_LDFLAGS = $(PROG_LINK)

tests_progs_inherit_libc_SOURCES = tests/progs/inherit_libc.c tests/progs/remote.h
tests_progs_inherit_libc_LDADD = $(PROG_LDADD)
tests_progs_inherit_libc_LDFLAGS = $(PROG_LINK)

tests_progs_inherit_files_SOURCES = tests/progs/inherit_files.c tests/progs/remote.h
tests_progs_inherit_files_LDADD = $(PROG_LDADD)
tests_progs_inherit_files_LDFLAGS = $(PROG_LINK)

tests_progs_ghost_status_SOURCES = tests/progs/ghost_status.c tests/progs/remote.h
tests_progs_ghost_status_LDADD = $(PROG_LDADD)
tests_progs_ghost_status_LDFLAGS = $(PROG_LINK)

tests_progs_ghost_signals_SOURCES = tests/progs/ghost_signals.c tests/progs/remote.h
tests_progs_ghost_signals_LDADD = $(PROG_LDADD)
tests_progs_ghost_signals_LDFLAGS = $(PROG_LINK)

tests_progs_ghost_orphan_SOURCES = tests/progs/ghost_orphan.c tests/progs/remote.h
tests_progs_ghost_orphan_LDADD = $(PROG_LDADD)
tests_progs_ghost_orphan_LDFLAGS = $(PROG_LINK)

tests_progs_ghost_job_SOURCES = tests/progs/ghost_job.c tests/progs/remote.h
tests_progs_ghost_job_LDADD = $(PROG_LDADD)
tests_progs_ghost_job_LDFLAGS = $(PROG_LINK)

tests_progs_space_terminal_SOURCES = tests/progs/space_terminal.c tests/progs/terminal.h \
	tests/progs/remote.h
tests_progs_space_terminal_LDADD = $(PROG_LDADD) -lutil
tests_progs_space_terminal_LDFLAGS = $(PROG_LINK)
tests_progs_terminal_input_SOURCES = tests/progs/terminal_input.c tests/progs/terminal.h \
	tests/progs/remote.h
tests_progs_terminal_input_LDADD = $(PROG_LDADD) -lutil
tests_progs_terminal_input_LDFLAGS = $(PROG_LINK)

tests_progs_space_second_SOURCES = tests/progs/space_second.c tests/progs/remote.h
tests_progs_space_second_LDADD = $(PROG_LDADD)
tests_progs_space_second_LDFLAGS = $(PROG_LINK)

tests_progs_ghost_terminal_SOURCES = tests/progs/ghost_terminal.c tests/progs/terminal.h \
	tests/progs/remote.h
tests_progs_ghost_terminal_LDADD = $(PROG_LDADD) -lutil
tests_progs_ghost_terminal_LDFLAGS = $(PROG_LINK)

tests_progs_refused_SOURCES = \
	tests/progs/refused.c tests/progs/errorname.h tests/progs/remote.h
tests_progs_refused_LDADD = $(PROG_LDADD)
tests_progs_refused_LDFLAGS = $(PROG_LINK)

tests_progs_execmove_many_SOURCES = tests/progs/execmove_many.c tests/progs/remote.h
tests_progs_execmove_many_LDADD = $(PROG_LDADD)
tests_progs_execmove_many_LDFLAGS = $(PROG_LINK)

tests_progs_inherit_crowd_SOURCES = tests/progs/inherit_crowd.c tests/progs/remote.h
tests_progs_inherit_crowd_LDADD = $(PROG_LDADD)
tests_progs_inherit_crowd_LDFLAGS = $(PROG_LINK)

UNIT_TESTS += tests/unit/test_quietfork tests/unit/test_streams

tests_unit_test_quietfork_SOURCES = tests/unit/test_quietfork.c tests/unit/tap.h \
	libbproc/guard.c libbproc/guard.h libbproc/quietfork.c libbproc/quietfork.h
tests_unit_test_quietfork_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_streams_SOURCES = tests/unit/test_streams.c tests/unit/tap.h \
	libbproc/streams.c libbproc/streams.h libbproc/io.c libbproc/io.h \
	libbproc/descriptors.c libbproc/descriptors.h
tests_unit_test_streams_CPPFLAGS = $(AM_CPPFLAGS)

SYSTEM_TESTS += tests/t/0300-rfork.t tests/t/0310-ghost.t

tests_progs_inherit_cwd_SOURCES = tests/progs/inherit_cwd.c tests/progs/remote.h
tests_progs_inherit_cwd_LDADD = $(PROG_LDADD)
tests_progs_inherit_cwd_LDFLAGS = $(PROG_LINK)

# What begins on a node.
check_PROGRAMS += tests/progs/nested tests/progs/travel tests/progs/kin

tests_progs_nested_SOURCES = tests/progs/nested.c tests/progs/remote.h
tests_progs_nested_LDADD = $(PROG_LDADD)
tests_progs_nested_LDFLAGS = $(PROG_LINK)

check_PROGRAMS += tests/progs/kinds
tests_progs_kinds_SOURCES = tests/progs/kinds.c tests/progs/remote.h
tests_progs_kinds_LDADD = $(PROG_LDADD)
tests_progs_kinds_LDFLAGS = $(PROG_LINK)

tests_progs_travel_SOURCES = tests/progs/travel.c tests/progs/remote.h
tests_progs_travel_LDADD = $(PROG_LDADD) -lpthread
tests_progs_travel_LDFLAGS = $(PROG_LINK)

tests_progs_kin_SOURCES = tests/progs/kin.c tests/progs/remote.h
tests_progs_kin_LDADD = $(PROG_LDADD)
tests_progs_kin_LDFLAGS = $(PROG_LINK)

SYSTEM_TESTS += tests/t/0340-nested.t tests/t/0345-nested-faults.t tests/t/0350-move.t
