# SPDX-License-Identifier: GPL-2.0-or-later

# Neither OpenSSL nor libevent: the init of the process space starts in a few milliseconds.
pkglibexec_PROGRAMS += migrate/bproc-space

migrate_bproc_space_SOURCES = \
	migrate/space/space.c \
	migrate/space/census.c migrate/space/census.h \
	migrate/space/errand.c migrate/space/errand.h \
	migrate/space/fate.c migrate/space/fate.h \
	migrate/space/flat.c migrate/space/flat.h \
	migrate/space/group.c migrate/space/group.h \
	migrate/space/keeper.c migrate/space/keeper.h \
	migrate/space/keeper_end.c migrate/space/keeper_talk.c migrate/space/keeper_impl.h \
	migrate/space/keeper_child.c migrate/space/keeper_child.h \
	migrate/space/launch.c migrate/space/launch.h \
	migrate/space/mounts.c migrate/space/mounts.h \
	migrate/rootopen.c migrate/rootopen.h \
	migrate/space/numbers.c migrate/space/numbers.h \
	migrate/space/orders.c migrate/space/orders.h \
	migrate/space/pending.c migrate/space/pending.h \
	migrate/space/pidfork.c migrate/space/pidfork.h \
	migrate/space/procstat.c migrate/space/procstat.h \
	migrate/space/program.c migrate/space/program.h \
	migrate/space/reap.c migrate/space/reap.h \
	migrate/space/registry.c migrate/space/registry.h \
	migrate/space/room.c migrate/space/room.h \
	migrate/space/rootns.c migrate/space/rootns.h \
	migrate/space/spec.c migrate/space/spec.h \
	migrate/criuready.h proto/rawcall.h \
	common/fault.c common/fault.h \
	common/siginfo.c common/siginfo.h
migrate_bproc_space_CFLAGS = $(AM_CFLAGS)
# What instruments the code has state of its own in the memory that they would share.
if BARE
SPACE_SHARES = -DROOM_SHARES
endif
migrate_bproc_space_CPPFLAGS = $(AM_CPPFLAGS) $(SPACE_SHARES)
migrate_bproc_space_LDADD = proto/libwire.la $(XDR_LIBS)
# It forks for each launch, and what it has mapped is what that takes.
if !SANITIZER
migrate_bproc_space_LDFLAGS = $(HARDENING_LDFLAGS) -all-static
endif

UNIT_TESTS += tests/unit/test_space

tests_unit_test_space_SOURCES = tests/unit/test_space.c tests/unit/space_jobs.h \
	tests/unit/space_left.h tests/unit/space_look.h tests/unit/space_roles.h \
	tests/unit/space_stuck.h tests/unit/tap.h
tests_unit_test_space_CPPFLAGS = \
	$(AM_CPPFLAGS) $(SPACE_SHARES) -DSPACE_PROGRAM='"$(abs_top_builddir)/migrate/bproc-space"'
tests_unit_test_space_LDADD = proto/libproto.la
tests_unit_test_space_DEPENDENCIES = proto/libproto.la migrate/bproc-space

UNIT_TESTS += tests/unit/test_room

tests_unit_test_room_SOURCES = tests/unit/test_room.c tests/unit/tap.h \
	migrate/space/room.c migrate/space/room.h \
	migrate/space/pidfork.c migrate/space/pidfork.h \
	common/fault.c common/fault.h proto/rawcall.h
tests_unit_test_room_CPPFLAGS = $(AM_CPPFLAGS) $(SPACE_SHARES)
