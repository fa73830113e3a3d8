# SPDX-License-Identifier: GPL-2.0-or-later

bin_PROGRAMS += tools/bpcp tools/bplib tools/bpsh tools/bpstat tools/bptop
sbin_PROGRAMS += tools/bpctl

JSON_SOURCES = tools/json.c tools/json.h
HOST_SOURCES = tools/host.c tools/host.h

# For every tool that takes nodes.
NODES_SOURCES = \
	tools/nodegroup.c tools/nodegroup.h \
	tools/nodespec.c tools/nodespec.h \
	tools/tool.c tools/tool.h
# The library itself, not the shared one: to load that took a tool a tenth of its time.
NODES_LIBS = common/libnodelang.la libbproc/libcalls.la libbproc/libclient.la proto/libwire.la $(XDR_LIBS)

# Commands on many nodes at once: for every tool that runs some.
RUN_SOURCES = \
	tools/bpsh_answers.c tools/bpsh_answers.h \
	tools/bpsh_command.c tools/bpsh_command.h \
	tools/bpsh_deadline.c tools/bpsh_deadline.h \
	tools/bpsh_ender.c tools/bpsh_ender.h \
	tools/bpsh_input.c tools/bpsh_input.h tools/bpsh_stdin.c tools/bpsh_stdin.h \
	tools/bpsh_keyboard.c tools/bpsh_keyboard.h \
	tools/bpsh_line.c tools/bpsh_line.h \
	tools/bpsh_loop.c tools/bpsh_loop.h tools/bpsh_waits.c tools/bpsh_waits.h \
	tools/bpsh_outfile.c tools/bpsh_outfile.h \
	tools/bpsh_output.c tools/bpsh_output.h \
	tools/bpsh_plain.c tools/bpsh_plain.h \
	tools/bpsh_progress.c tools/bpsh_progress.h \
	tools/bpsh_signal.c tools/bpsh_signal.h \
	tools/bpsh_sink.c tools/bpsh_sink.h \
	tools/bpsh_task.c tools/bpsh_task.h

pkglibexec_PROGRAMS += tools/bproc-fetch
tools_bproc_fetch_SOURCES = tools/fetch.c common/fd.c common/fd.h
tools_bproc_fetch_CFLAGS = $(AM_CFLAGS)
tools_bproc_fetch_LDADD = libbproc/libbproc.la

pkglibexec_PROGRAMS += tools/bproc-endtree

tools_bproc_endtree_SOURCES = tools/endtree.c

pkglibexec_PROGRAMS += tools/bproc-open

tools_bproc_open_SOURCES = tools/open.c

tools_bpsh_SOURCES = \
	tools/bpsh.c \
	tools/bpsh_collect.c tools/bpsh_collect.h \
	tools/bpsh_diff.c tools/bpsh_diff.h \
	tools/bpsh_options.c tools/bpsh_options.h \
	tools/bpsh_report.c tools/bpsh_report.h \
	$(JSON_SOURCES) $(NODES_SOURCES) $(RUN_SOURCES)
# To find and relocate libc took a fourth of its time for a short command.
tools_bpsh_CPPFLAGS = $(LIGHT_CPPFLAGS) $(AM_CPPFLAGS)
tools_bpsh_LDFLAGS = $(HARDENING_LDFLAGS) $(LIGHT_LDFLAGS)
if MUSL
tools_bpsh_LDADD = tools/libcalls.a tools/libxdr.a $(XDR_LIBS) $(LIGHT_LIBS)
noinst_LIBRARIES += tools/libcalls.a tools/libxdr.a
tools_libcalls_a_SOURCES = $(NODELANG_SOURCES) $(CALLS_SOURCES) $(CLIENT_SOURCES) $(WIRE_SOURCES)
tools_libcalls_a_CPPFLAGS = $(LIGHT_CPPFLAGS) $(AM_CPPFLAGS)
tools_libcalls_a_CFLAGS = $(AM_CFLAGS) $(LIGHT_CFLAGS)
nodist_tools_libxdr_a_SOURCES = $(XDR_SOURCES)
tools_libxdr_a_CPPFLAGS = $(LIGHT_CPPFLAGS) $(AM_CPPFLAGS)
# musl has another type for 64 bits, of the same size.
tools_libxdr_a_CFLAGS = $(AM_CFLAGS) $(LIGHT_CFLAGS) -Wno-unused-variable \
	-Wno-incompatible-pointer-types
else
tools_bpsh_LDADD = $(NODES_LIBS)
endif

tools_bpcp_SOURCES = \
	tools/bpcp.c \
	tools/bpcp_bar.c tools/bpcp_bar.h \
	tools/bpcp_branch.c tools/bpcp_branch.h \
	tools/bpcp_chain.c tools/bpcp_chain.h \
	tools/bpcp_end.c tools/bpcp_end.h \
	tools/bpcp_feed.c tools/bpcp_feed.h \
	tools/bpcp_file.c tools/bpcp_file.h \
	tools/bpcp_flow.c tools/bpcp_flow.h \
	tools/bpcp_link.c tools/bpcp_link.h \
	tools/bpcp_loop.c tools/bpcp_loop.h \
	tools/bpcp_name.c tools/bpcp_name.h \
	tools/bpcp_options.c tools/bpcp_options.h \
	tools/bpcp_place.c tools/bpcp_place.h \
	tools/bpcp_report.c tools/bpcp_report.h \
	tools/bpcp_ring.c tools/bpcp_ring.h \
	tools/bpcp_same.c tools/bpcp_same.h \
	tools/bpcp_source.c tools/bpcp_source.h \
	tools/bpcp_stream.c tools/bpcp_stream.h \
	tools/bpcp_target.c tools/bpcp_target.h \
	tools/bpcp_transfer.c tools/bpcp_transfer.h \
	tools/bpcp_word.c tools/bpcp_word.h \
	$(NODES_SOURCES) $(RUN_SOURCES)
# It sends itself: nodes need nothing but libc for it.
tools_bpcp_LDADD = $(NODES_LIBS)

tools_bpstat_SOURCES = \
	tools/bpstat.c \
	tools/bpstat_json.c tools/bpstat_json.h \
	tools/bpstat_metrics.c tools/bpstat_metrics.h \
	tools/bpstat_names.c tools/bpstat_names.h \
	tools/bpstat_options.c tools/bpstat_options.h \
	tools/bpstat_proc.c tools/bpstat_proc.h \
	tools/bpstat_table.c tools/bpstat_table.h \
	tools/idname.c tools/idname.h \
	$(HOST_SOURCES) $(JSON_SOURCES) $(NODES_SOURCES)
tools_bpstat_LDADD = $(NODES_LIBS)

tools_bptop_SOURCES = \
	tools/bptop.c \
	tools/bptop_batch.c tools/bptop_batch.h \
	tools/bptop_draw.c tools/bptop_draw.h \
	tools/bptop_format.c tools/bptop_format.h \
	tools/bptop_keys.c tools/bptop_keys.h \
	tools/bptop_sample.c tools/bptop_sample.h \
	tools/bptop_screen.c tools/bptop_screen.h \
	tools/bptop_target.c tools/bptop_target.h \
	tools/bptop_view.c tools/bptop_view.h \
	$(JSON_SOURCES) $(NODES_SOURCES)
tools_bptop_CPPFLAGS = $(AM_CPPFLAGS) $(NCURSES_CFLAGS)
tools_bptop_LDADD = $(NODES_LIBS) $(NCURSES_LIBS)

tools_bplib_SOURCES = tools/bplib.c tools/tool.c tools/tool.h $(JSON_SOURCES)
tools_bplib_LDADD = $(NODES_LIBS)

tools_bpctl_SOURCES = \
	tools/bpctl.c \
	tools/bpctl_act.c tools/bpctl_act.h \
	tools/bpctl_cluster.c tools/bpctl_cluster.h \
	tools/bpctl_config.c tools/bpctl_config.h \
	$(JSON_SOURCES) $(NODES_SOURCES)
tools_bpctl_LDADD = $(NODES_LIBS) common/libcommon.la

UNIT_TESTS += tests/unit/test_nodespec

tests_unit_test_nodespec_SOURCES = tests/unit/test_nodespec.c tools/nodespec.c
tests_unit_test_nodespec_LDADD = common/libnodelang.la

UNIT_TESTS += tests/unit/test_bpsh

tests_unit_test_bpsh_SOURCES = tests/unit/test_bpsh.c \
	tools/bpsh_command.c tools/bpsh_input.c tools/bpsh_output.c tools/bpsh_sink.c

UNIT_TESTS += tests/unit/test_bpsh_plain

tests_unit_test_bpsh_plain_SOURCES = tests/unit/test_bpsh_plain.c \
	tools/bpsh_plain.c tools/bpsh_output.c tools/bpsh_sink.c

UNIT_TESTS += tests/unit/test_json

tests_unit_test_json_SOURCES = tests/unit/test_json.c $(JSON_SOURCES)

UNIT_TESTS += tests/unit/test_bpcp

tests_unit_test_bpcp_SOURCES = tests/unit/test_bpcp.c \
	tools/bpcp_file.c tools/bpcp_name.c tools/bpcp_bar.c tools/bpcp_report.c \
	tools/bpcp_same.c tools/bpcp_stream.c tools/bpcp_target.c
tests_unit_test_bpcp_LDADD = proto/libproto.la

UNIT_TESTS += tests/unit/test_bpcp_flow

tests_unit_test_bpcp_flow_SOURCES = tests/unit/test_bpcp_flow.c \
	tools/bpcp_feed.c tools/bpcp_flow.c tools/bpcp_link.c tools/bpcp_ring.c tools/bpcp_word.c
tests_unit_test_bpcp_flow_LDADD = $(tools_bpcp_LDADD)

# Other names of tools, NAME:TOOL.
TOOL_LINKS =

install-tool-links: install-binPROGRAMS
	$(AM_V_at)for link in $(TOOL_LINKS); do \
		$(LN_S) -f $${link#*:} '$(DESTDIR)$(bindir)'/$${link%:*} || exit 1; \
	done

uninstall-tool-links:
	$(AM_V_at)for link in $(TOOL_LINKS); do rm -f '$(DESTDIR)$(bindir)'/$${link%:*}; done

install-exec-hook: install-tool-links
uninstall-hook: uninstall-tool-links

.PHONY: install-tool-links uninstall-tool-links
