# SPDX-License-Identifier: GPL-2.0-or-later

bin_PROGRAMS += tools/bpsh tools/bpstat
sbin_PROGRAMS += tools/bpctl

tools_bpsh_SOURCES = \
	tools/bpsh.c \
	tools/bpsh_command.c tools/bpsh_command.h \
	tools/bpsh_input.c tools/bpsh_input.h \
	tools/bpsh_loop.c tools/bpsh_loop.h \
	tools/bpsh_options.c tools/bpsh_options.h \
	tools/bpsh_output.c tools/bpsh_output.h \
	tools/bpsh_sink.c tools/bpsh_sink.h \
	tools/bpsh_task.c tools/bpsh_task.h \
	tools/nodespec.c tools/nodespec.h \
	tools/tool.c tools/tool.h
tools_bpsh_LDADD = libbproc/libbproc.la

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

UNIT_TESTS += tests/unit/test_json

tests_unit_test_json_SOURCES = tests/unit/test_json.c tools/json.c tools/json.h
