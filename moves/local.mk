# SPDX-License-Identifier: GPL-2.0-or-later

# Both daemons send processes.
noinst_LTLIBRARIES += moves/libmoves.la

moves_libmoves_la_SOURCES = \
	moves/account.c moves/account.h \
	moves/carrierpool.c moves/carrierpool.h \
	moves/channel.c moves/channel.h \
	moves/check.c moves/check.h \
	moves/doubt.c moves/doubt.h \
	moves/gate.c moves/gate.h \
	moves/handover.c \
	moves/move.c moves/move.h moves/move_impl.h \
	moves/mover.c moves/mover.h \
	moves/task.c moves/task.h \
	moves/twin.c moves/twin.h \
	moves/vector.c moves/vector_make.c moves/vector.h moves/vector_impl.h
moves_libmoves_la_LIBADD = common/libcommon.la

UNIT_TESTS += tests/unit/test_check tests/unit/test_doubt

tests_unit_test_check_SOURCES = tests/unit/test_check.c tests/unit/tap.h
tests_unit_test_check_LDADD = moves/libmoves.la

tests_unit_test_doubt_SOURCES = tests/unit/test_doubt.c tests/unit/tap.h
tests_unit_test_doubt_LDADD = moves/libmoves.la
