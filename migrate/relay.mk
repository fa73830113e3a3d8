# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LTLIBRARIES += migrate/librelay.la

migrate_librelay_la_SOURCES = \
	migrate/bulk.c migrate/bulk.h \
	migrate/relay.c migrate/relay.h migrate/relay_impl.h \
	migrate/relay_fd.c migrate/relay_fd.h migrate/relay_flush.c \
	migrate/relay_hold.c migrate/relay_peer.c \
	migrate/relay_link.c \
	migrate/relay_pages.c migrate/relay_pages.h \
	migrate/relay_ring.c migrate/relay_ring.h \
	migrate/relay_rx.c \
	migrate/relay_sink.c \
	migrate/relay_source.c \
	migrate/relay_stream.c \
	migrate/relay_want.c
migrate_librelay_la_LIBADD = proto/libproto.la $(EVENT_LIBS) $(OPENSSL_LIBS)

UNIT_TESTS += tests/unit/test_bulk tests/unit/test_pages tests/unit/test_pages_mixed \
	tests/unit/test_relay tests/unit/test_relay_end tests/unit/test_relay_hostile \
	tests/unit/test_relay_last tests/unit/test_relay_pressure \
	tests/unit/test_ring

tests_unit_test_bulk_SOURCES = tests/unit/test_bulk.c tests/unit/relay_pair.h tests/unit/tap.h
tests_unit_test_bulk_LDADD = migrate/librelay.la common/libcommon.la
tests_unit_test_pages_SOURCES = tests/unit/test_pages.c tests/unit/tap.h
tests_unit_test_pages_LDADD = migrate/librelay.la
tests_unit_test_relay_SOURCES = tests/unit/test_relay.c tests/unit/relay_pair.h tests/unit/tap.h
tests_unit_test_relay_LDADD = migrate/librelay.la common/libcommon.la -lutil
tests_unit_test_relay_end_SOURCES = tests/unit/test_relay_end.c tests/unit/relay_pair.h \
	tests/unit/tap.h
tests_unit_test_relay_end_LDADD = migrate/librelay.la common/libcommon.la
tests_unit_test_relay_hostile_SOURCES = \
	tests/unit/test_relay_hostile.c tests/unit/relay_pair.h tests/unit/tap.h
tests_unit_test_relay_hostile_LDADD = migrate/librelay.la common/libcommon.la
tests_unit_test_relay_last_SOURCES = tests/unit/test_relay_last.c tests/unit/relay_pair.h \
	tests/unit/tap.h
tests_unit_test_relay_last_LDADD = migrate/librelay.la common/libcommon.la
tests_unit_test_relay_pressure_SOURCES = \
	tests/unit/test_relay_pressure.c tests/unit/relay_pair.h tests/unit/tap.h
tests_unit_test_relay_pressure_LDADD = migrate/librelay.la common/libcommon.la
tests_unit_test_pages_mixed_SOURCES = tests/unit/test_pages_mixed.c tests/unit/tap.h
tests_unit_test_pages_mixed_LDADD = migrate/librelay.la
tests_unit_test_ring_SOURCES = tests/unit/test_ring.c tests/unit/tap.h
tests_unit_test_ring_LDADD = migrate/librelay.la
