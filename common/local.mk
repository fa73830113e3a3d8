# SPDX-License-Identifier: GPL-2.0-or-later

# What users write for nodes: for the tools, and for the groups of the configuration.
noinst_LTLIBRARIES += common/libnodelang.la
NODELANG_SOURCES = \
	common/nodelang.c common/nodelang.h \
	common/nodeset.c common/nodeset.h \
	common/nodewords.c common/nodewords.h
common_libnodelang_la_SOURCES = $(NODELANG_SOURCES)

# What both daemons and bpctl share.
noinst_LTLIBRARIES += common/libcommon.la

common_libcommon_la_SOURCES = \
	common/caller.c common/caller.h \
	common/conf.c common/conf.h common/conf_parse.h \
	common/conf_keyword.c common/conf_address.c common/conf_group.c \
	common/conn.c common/conn.h common/conn_io.h \
	common/conn_local.c common/conn_read.c common/conn_send.c common/conn_tls.c \
	common/criuprobe.c common/criuprobe.h \
	common/daemon.c common/daemon.h \
	common/fault.c common/fault.h \
	common/fd.c common/fd.h \
	common/ghostline.c common/ghostline.h \
	common/hostname.c common/hostname.h \
	common/log.c common/log.h \
	common/nodeload.c common/nodeload.h \
	common/notify.c common/notify.h \
	common/path.c common/path.h \
	common/reaper.c common/reaper.h \
	common/siginfo.c common/siginfo.h \
	common/spawn.c common/spawn.h \
	common/tls.c common/tls.h \
	common/tls_ca.c \
	common/tls_cert.c common/tls_cert.h \
	common/tls_join.c \
	common/trace.c common/trace.h
common_libcommon_la_LIBADD = common/libnodelang.la proto/libproto.la $(EVENT_LIBS) $(OPENSSL_LIBS)

UNIT_TESTS += tests/unit/test_config tests/unit/test_conn tests/unit/test_conn_read
UNIT_TESTS += tests/unit/test_fd tests/unit/test_frame tests/unit/test_hostname
UNIT_TESTS += tests/unit/test_spawn tests/unit/test_tls
UNIT_TESTS += tests/unit/test_tls_records tests/unit/test_trace

tests_unit_test_config_SOURCES = tests/unit/test_config.c tests/unit/tap.h
tests_unit_test_config_LDADD = common/libcommon.la
tests_unit_test_conn_SOURCES = tests/unit/test_conn.c tests/unit/conn_loop.h tests/unit/tap.h
tests_unit_test_conn_LDADD = common/libcommon.la
tests_unit_test_conn_read_SOURCES = tests/unit/test_conn_read.c tests/unit/conn_loop.h \
	tests/unit/tap.h
tests_unit_test_conn_read_LDADD = common/libcommon.la
tests_unit_test_fd_SOURCES = tests/unit/test_fd.c tests/unit/tap.h
tests_unit_test_fd_LDADD = common/libcommon.la
tests_unit_test_frame_SOURCES = tests/unit/test_frame.c tests/unit/tap.h
tests_unit_test_frame_LDADD = proto/libproto.la
tests_unit_test_hostname_SOURCES = tests/unit/test_hostname.c tests/unit/tap.h
tests_unit_test_hostname_LDADD = common/libcommon.la
tests_unit_test_spawn_SOURCES = tests/unit/test_spawn.c tests/unit/tap.h
tests_unit_test_spawn_LDADD = common/libcommon.la
tests_unit_test_tls_SOURCES = tests/unit/test_tls.c tests/unit/tls_pair.h tests/unit/conn_loop.h \
	tests/unit/tap.h
tests_unit_test_tls_LDADD = common/libcommon.la
tests_unit_test_tls_records_SOURCES = tests/unit/test_tls_records.c tests/unit/tls_pair.h \
	tests/unit/conn_loop.h tests/unit/tap.h
tests_unit_test_tls_records_LDADD = common/libcommon.la
tests_unit_test_trace_SOURCES = tests/unit/test_trace.c tests/unit/tap.h
tests_unit_test_trace_LDADD = common/libcommon.la $(EVENT_LIBS)
