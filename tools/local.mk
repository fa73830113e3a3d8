# SPDX-License-Identifier: GPL-2.0-or-later

bin_PROGRAMS += tools/bpstat
sbin_PROGRAMS += tools/bpctl

tools_bpstat_SOURCES = \
	tools/bpstat.c \
	tools/bpstat_proc.c tools/bpstat_proc.h \
	tools/bpstat_table.c tools/bpstat_table.h \
	tools/nodespec.c tools/nodespec.h \
	tools/tool.c tools/tool.h
tools_bpstat_LDADD = libbproc/libbproc.la

tools_bpctl_SOURCES = \
	tools/bpctl.c \
	tools/bpctl_cluster.c tools/bpctl_cluster.h \
	tools/nodespec.c tools/nodespec.h \
	tools/tool.c tools/tool.h
tools_bpctl_LDADD = libbproc/libbproc.la libbproc/libclient.la common/libcommon.la

UNIT_TESTS += tests/unit/test_nodespec

tests_unit_test_nodespec_SOURCES = tests/unit/test_nodespec.c tools/nodespec.c

UNIT_TESTS += tests/unit/test_bpsh

tests_unit_test_bpsh_SOURCES = tests/unit/test_bpsh.c \
	tools/bpsh_command.c tools/bpsh_input.c tools/bpsh_output.c tools/bpsh_sink.c
