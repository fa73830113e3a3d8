# SPDX-License-Identifier: GPL-2.0-or-later
#
# Programs that system tests run on the nodes of a lab, from the build tree: the nodes see it at the
# same path. They find the library there as well, hence -no-install. A new one takes three lines:
#
#     check_PROGRAMS += tests/progs/NAME
#     tests_progs_NAME_LDADD = $(PROG_LDADD)
#     tests_progs_NAME_LDFLAGS = $(PROG_LINK)

PROG_LDADD = libbproc/libbproc.la
PROG_LINK = $(AM_LDFLAGS) -no-install

check_PROGRAMS += tests/progs/nodecalls
tests_progs_nodecalls_SOURCES = tests/progs/nodecalls.c tests/progs/errorname.h
tests_progs_nodecalls_LDADD = $(PROG_LDADD)
tests_progs_nodecalls_LDFLAGS = $(PROG_LINK)

check_PROGRAMS += tests/progs/streams
tests_progs_streams_SOURCES = tests/progs/streams.c tests/progs/prog.h
tests_progs_streams_LDADD = $(PROG_LDADD)
tests_progs_streams_LDFLAGS = $(PROG_LINK)

check_PROGRAMS += tests/progs/sockets
tests_progs_sockets_SOURCES = tests/progs/sockets.c tests/progs/prog.h
tests_progs_sockets_LDADD = $(PROG_LDADD)
tests_progs_sockets_LDFLAGS = $(PROG_LINK)

check_PROGRAMS += tests/progs/masterfile
tests_progs_masterfile_SOURCES = tests/progs/masterfile.c tests/progs/prog.h
tests_progs_masterfile_LDADD = $(PROG_LDADD)
tests_progs_masterfile_LDFLAGS = $(PROG_LINK)

check_PROGRAMS += tests/progs/onecall
tests_progs_onecall_SOURCES = tests/progs/onecall.c tests/progs/prog.h
tests_progs_onecall_LDADD = $(PROG_LDADD)
tests_progs_onecall_LDFLAGS = $(PROG_LINK)

# They are preloaded into as CRIU is, so they are built as that library is (migrate/local.mk).
check_PROGRAMS += tests/progs/criu_exit tests/progs/criu_parent
tests_progs_criu_exit_SOURCES = tests/progs/criu_exit.c
tests_progs_criu_exit_CFLAGS = $(WARNING_CFLAGS) $(HARDENING_CFLAGS)
tests_progs_criu_parent_SOURCES = tests/progs/criu_parent.c
tests_progs_criu_parent_CFLAGS = $(WARNING_CFLAGS) $(HARDENING_CFLAGS)

check_PROGRAMS += tests/progs/load
tests_progs_load_SOURCES = tests/progs/load.c tests/progs/prog.h
tests_progs_load_LDADD = $(PROG_LDADD)
tests_progs_load_LDFLAGS = $(PROG_LINK)

check_PROGRAMS += tests/progs/output
tests_progs_output_SOURCES = tests/progs/output.c tests/progs/prog.h
tests_progs_output_LDADD = $(PROG_LDADD)
tests_progs_output_LDFLAGS = $(PROG_LINK)

check_PROGRAMS += tests/progs/flow
tests_progs_flow_SOURCES = tests/progs/flow.c tests/progs/prog.h
tests_progs_flow_LDADD = $(PROG_LDADD)
tests_progs_flow_LDFLAGS = $(PROG_LINK)

check_PROGRAMS += tests/progs/shared
tests_progs_shared_SOURCES = tests/progs/shared.c tests/progs/prog.h
tests_progs_shared_LDADD = $(PROG_LDADD)
tests_progs_shared_LDFLAGS = $(PROG_LINK)

check_PROGRAMS += tests/progs/connectback
tests_progs_connectback_SOURCES = tests/progs/connectback.c tests/progs/prog.h
tests_progs_connectback_LDADD = $(PROG_LDADD)
tests_progs_connectback_LDFLAGS = $(PROG_LINK)

check_PROGRAMS += tests/progs/dumpflags
tests_progs_dumpflags_SOURCES = tests/progs/dumpflags.c tests/progs/prog.h
tests_progs_dumpflags_LDADD = $(PROG_LDADD)
tests_progs_dumpflags_LDFLAGS = $(PROG_LINK)

check_PROGRAMS += tests/progs/steady
tests_progs_steady_SOURCES = tests/progs/steady.c tests/progs/prog.h
tests_progs_steady_LDADD = $(PROG_LDADD)
tests_progs_steady_LDFLAGS = $(PROG_LINK)

check_PROGRAMS += tests/progs/hostile
tests_progs_hostile_SOURCES = tests/progs/hostile.c tests/progs/hostile.h \
	tests/progs/hostile_member.c tests/progs/hostile_shot.c tests/progs/prog.h
tests_progs_hostile_LDADD = common/libcommon.la proto/libproto.la $(OPENSSL_LIBS)

check_PROGRAMS += tests/progs/traitor
tests_progs_traitor_SOURCES = tests/progs/traitor.c tests/progs/prog.h
tests_progs_traitor_LDADD = common/libcommon.la proto/libproto.la $(OPENSSL_LIBS)

check_PROGRAMS += tests/progs/usage
tests_progs_usage_SOURCES = tests/progs/usage.c tests/progs/prog.h
tests_progs_usage_LDADD = $(PROG_LDADD)
tests_progs_usage_LDFLAGS = $(PROG_LINK)

# Programs as somebody wrote them for BProc 3 and for BProc 4; scripts compile them once more, as he
# would. See tests/t/0370-api3.t and 0371-api4.t.
check_PROGRAMS += tests/progs/api3_vector
tests_progs_api3_vector_SOURCES = tests/progs/api3_vector.c tests/unit/tap.h
tests_progs_api3_vector_LDADD = $(PROG_LDADD)
tests_progs_api3_vector_LDFLAGS = $(PROG_LINK)

check_PROGRAMS += tests/progs/api4_io
tests_progs_api4_io_SOURCES = tests/progs/api4_io.c tests/unit/tap.h
tests_progs_api4_io_LDADD = $(PROG_LDADD)
tests_progs_api4_io_LDFLAGS = $(PROG_LINK)

check_PROGRAMS += tests/progs/api4_node
tests_progs_api4_node_SOURCES = tests/progs/api4_node.c tests/unit/tap.h
tests_progs_api4_node_LDADD = $(PROG_LDADD)
tests_progs_api4_node_LDFLAGS = $(PROG_LINK)

check_PROGRAMS += tests/progs/api3_node
tests_progs_api3_node_SOURCES = tests/progs/api3_node.c tests/unit/tap.h
tests_progs_api3_node_LDADD = $(PROG_LDADD)
tests_progs_api3_node_LDFLAGS = $(PROG_LINK)

check_PROGRAMS += tests/progs/api4_calls
tests_progs_api4_calls_SOURCES = tests/progs/api4_calls.c tests/unit/tap.h
tests_progs_api4_calls_LDADD = $(PROG_LDADD)
tests_progs_api4_calls_LDFLAGS = $(PROG_LINK)

check_PROGRAMS += tests/progs/detach
tests_progs_detach_SOURCES = tests/progs/detach.c tests/progs/prog.h
tests_progs_detach_LDADD = $(PROG_LDADD)
tests_progs_detach_LDFLAGS = $(PROG_LINK)

check_PROGRAMS += tests/progs/dump
tests_progs_dump_SOURCES = tests/progs/dump.c tests/progs/prog.h
tests_progs_dump_LDADD = $(PROG_LDADD)
tests_progs_dump_LDFLAGS = $(PROG_LINK)

check_PROGRAMS += tests/progs/repeat
tests_progs_repeat_SOURCES = tests/progs/repeat.c
tests_progs_repeat_LDADD = $(PROG_LDADD)
tests_progs_repeat_LDFLAGS = $(PROG_LINK)

check_PROGRAMS += tests/progs/beside
tests_progs_beside_SOURCES = tests/progs/beside.c

check_PROGRAMS += tests/progs/fences
tests_progs_fences_SOURCES = tests/progs/fences.c tests/progs/prog.h
tests_progs_fences_LDADD = $(PROG_LDADD)
tests_progs_fences_LDFLAGS = $(PROG_LINK)

check_PROGRAMS += tests/progs/lacking
tests_progs_lacking_SOURCES = tests/progs/lacking.c tests/progs/prog.h
tests_progs_lacking_LDADD = $(PROG_LDADD)
tests_progs_lacking_LDFLAGS = $(PROG_LINK)

check_PROGRAMS += tests/progs/promptly
tests_progs_promptly_SOURCES = tests/progs/promptly.c tests/progs/prog.h
tests_progs_promptly_LDADD = $(PROG_LDADD)
tests_progs_promptly_LDFLAGS = $(PROG_LINK)

check_PROGRAMS += tests/progs/pages
tests_progs_pages_SOURCES = tests/progs/pages.c tests/progs/memory.h tests/progs/prog.h
tests_progs_pages_LDADD = $(PROG_LDADD)
tests_progs_pages_LDFLAGS = $(PROG_LINK)

check_PROGRAMS += tests/progs/lazy
tests_progs_lazy_SOURCES = tests/progs/lazy.c tests/progs/memory.h tests/progs/prog.h
tests_progs_lazy_LDADD = $(PROG_LDADD)
tests_progs_lazy_LDFLAGS = $(PROG_LINK)

check_PROGRAMS += tests/progs/vector
tests_progs_vector_LDADD = $(PROG_LDADD)
tests_progs_vector_LDFLAGS = $(PROG_LINK)
