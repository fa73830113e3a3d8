# SPDX-License-Identifier: GPL-2.0-or-later

sbin_PROGRAMS += masterd/masterd

masterd_masterd_SOURCES = \
	masterd/birth.c masterd/birth.h \
	masterd/caller.c masterd/caller.h \
	masterd/depart.c masterd/depart.h \
	masterd/ghost.c masterd/ghost.h masterd/ghost_impl.h masterd/ghost_back.c \
	masterd/ghostfork.c masterd/ghostfork.h \
	masterd/heartbeat.c masterd/heartbeat.h \
	masterd/hello.c \
	masterd/home.c masterd/home.h \
	masterd/join.c masterd/join.h \
	masterd/kin.c masterd/kin.h \
	masterd/libraries.c masterd/libraries.h \
	masterd/link.c masterd/link.h masterd/link_impl.h masterd/linksend.c \
	masterd/listen.c masterd/listen.h \
	masterd/local.c masterd/local.h \
	masterd/master.h masterd/masterd.c \
	masterd/nodeattr.c masterd/nodeattr.h \
	masterd/nodecalls.c masterd/nodecalls.h masterd/nodecalls_impl.h \
	masterd/nodecalls_admin.c masterd/nodecalls_attr.c masterd/nodecalls_list.c \
	masterd/nodeghost.c masterd/nodeghost.h \
	masterd/nodeorder.c masterd/nodeorder.h \
	masterd/nodepower.c masterd/nodepower.h \
	masterd/nodetable.c masterd/nodetable.h \
	masterd/nodeup.c masterd/nodeup.h \
	masterd/order.c masterd/order.h \
	masterd/owner.c masterd/owner.h \
	masterd/proctable.c masterd/proctable.h masterd/proctable_impl.h masterd/procreport.c \
	masterd/passage.c masterd/passage.h masterd/passage_impl.h masterd/passage_allow.c \
	masterd/passage_check.c masterd/passage_check.h \
	masterd/pidindex.c masterd/pidindex.h \
	masterd/pids.c masterd/pids.h \
	masterd/report.c \
	masterd/rights.c masterd/rights.h \
	masterd/stays.c masterd/stays.h \
	masterd/stats.c masterd/stats.h \
	masterd/store.c masterd/store.h \
	masterd/token.c masterd/token.h \
	masterd/usage.c masterd/usage.h \
	masterd/watchers.c masterd/watchers.h \
	migrate/ghostargs.c migrate/ghostargs.h \
	migrate/space/pidfork.c migrate/space/pidfork.h
masterd_masterd_CFLAGS = $(AM_CFLAGS)
masterd_masterd_LDADD = moves/libmoves.la common/libcommon.la proto/libproto.la $(EVENT_LIBS) $(OPENSSL_LIBS) \
	$(SQLITE_LIBS)
masterd_masterd_LDFLAGS = $(AM_LDFLAGS) $(PIE_LDFLAGS)

UNIT_TESTS += tests/unit/test_nodetable tests/unit/test_pidindex

tests_unit_test_pidindex_SOURCES = tests/unit/test_pidindex.c tests/unit/tap.h \
	masterd/pidindex.c masterd/pidindex.h

tests_unit_test_nodetable_SOURCES = tests/unit/test_nodetable.c tests/unit/tap.h \
	masterd/nodeattr.c masterd/nodetable.c masterd/store.c masterd/watchers.c
tests_unit_test_nodetable_LDADD = common/libcommon.la $(EVENT_LIBS) $(SQLITE_LIBS)
