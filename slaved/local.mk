# SPDX-License-Identifier: GPL-2.0-or-later

sbin_PROGRAMS += slaved/slaved

slaved_slaved_SOURCES = \
	slaved/slaved.c \
	slaved/child.c slaved/child.h \
	slaved/connect.c slaved/connect.h \
	slaved/contact.c slaved/contact.h \
	slaved/depart.c slaved/depart.h \
	slaved/early.c slaved/early.h \
	slaved/ghost.c slaved/ghost.h \
	slaved/hostattr.c slaved/hostattr.h \
	slaved/detach.c slaved/detach.h \
	slaved/join.c slaved/join.h \
	slaved/lacking.c slaved/lacking.h \
	slaved/link.c slaved/link.h slaved/link_impl.h slaved/reconnect.c \
	slaved/local.c slaved/local.h \
	slaved/options.c slaved/options.h \
	slaved/pass.c slaved/pass.h \
	slaved/power.c slaved/power.h \
	slaved/procend.c slaved/procreport.c \
	slaved/proctable.c slaved/proctable.h slaved/proctable_impl.h \
	slaved/receivers.c slaved/receivers.h \
	slaved/root.c slaved/root.h \
	slaved/seconds.c slaved/seconds.h \
	slaved/setup.c slaved/setup.h \
	slaved/shares.c slaved/shares.h \
	slaved/space.c slaved/space.h \
	slaved/tickets.c slaved/tickets.h \
	slaved/transfer.c slaved/transfer.h \
	slaved/usage.c slaved/usage.h \
	slaved/watch.c slaved/watch.h \
	migrate/space/pidfork.c migrate/space/pidfork.h \
	migrate/treekill.c migrate/treekill.h \
	migrate/userfault.c migrate/userfault.h
slaved_slaved_CFLAGS = $(AM_CFLAGS)
slaved_slaved_LDADD = moves/libmoves.la common/libcommon.la

pkglibexec_PROGRAMS += slaved/bproc-usage

slaved_bproc_usage_SOURCES = \
	slaved/usage_main.c \
	slaved/usage_proc.c slaved/usage_proc.h \
	common/nodeload.c common/nodeload.h
slaved_bproc_usage_CFLAGS = $(AM_CFLAGS)
slaved_bproc_usage_LDADD = proto/libwire.la $(XDR_LIBS)

UNIT_TESTS += tests/unit/test_usage

tests_unit_test_usage_SOURCES = tests/unit/test_usage.c tests/unit/tap.h \
	slaved/usage_proc.c slaved/usage_proc.h

UNIT_TESTS += tests/unit/test_procends

tests_unit_test_procends_SOURCES = tests/unit/test_procends.c tests/unit/tap.h \
	slaved/procend.c slaved/proctable.c slaved/proctable.h slaved/proctable_impl.h
tests_unit_test_procends_LDADD = common/libcommon.la proto/libproto.la $(EVENT_LIBS) $(OPENSSL_LIBS)

UNIT_TESTS += tests/unit/test_shares

tests_unit_test_shares_SOURCES = tests/unit/test_shares.c tests/unit/tap.h \
	slaved/shares.c slaved/shares.h
tests_unit_test_shares_LDADD = common/libcommon.la proto/libproto.la $(EVENT_LIBS) $(OPENSSL_LIBS)

UNIT_TESTS += tests/unit/test_lacking

tests_unit_test_lacking_SOURCES = tests/unit/test_lacking.c tests/unit/tap.h \
	migrate/treekill.c migrate/treekill.h \
	migrate/userfault.c migrate/userfault.h \
	slaved/lacking.c slaved/lacking.h
tests_unit_test_lacking_LDADD = common/libcommon.la proto/libproto.la $(EVENT_LIBS) $(OPENSSL_LIBS)
