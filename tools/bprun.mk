# SPDX-License-Identifier: GPL-2.0-or-later
#
# bprun is known by the names of Scyld's tools as well.

bin_PROGRAMS += tools/bprun

tools_bprun_SOURCES = \
	tools/bprun.c \
	tools/bprun_load.c tools/bprun_load.h \
	tools/bprun_map.c tools/bprun_map.h \
	tools/bprun_options.c tools/bprun_options.h \
	$(NODES_SOURCES) $(RUN_SOURCES)
tools_bprun_LDADD = $(NODES_LIBS)

TOOL_LINKS += beorun:bprun mpprun:bprun bpmap:bprun beomap:bprun

UNIT_TESTS += tests/unit/test_bprun

tests_unit_test_bprun_SOURCES = tests/unit/test_bprun.c tools/bprun_load.c
tests_unit_test_bprun_LDADD = libbproc/libbproc.la
