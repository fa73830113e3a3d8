# SPDX-License-Identifier: GPL-2.0-or-later

include migrate/space.mk
include migrate/relay.mk

pkglibexec_PROGRAMS += migrate/bproc-ghost migrate/bproc-mover migrate/bproc-receiver

# The ghost is there once for each remote process: it has no library, where that can be.
migrate_bproc_ghost_SOURCES = \
	migrate/ghost.c \
	migrate/ghost_child.c migrate/ghost_child.h \
	migrate/ghosttext.c migrate/ghosttext.h \
	migrate/ghostwire.c migrate/ghostwire.h
if BARE
migrate_bproc_ghost_SOURCES += migrate/bare.c proto/rawcall.h
migrate_bproc_ghost_CFLAGS = $(WARNING_CFLAGS) -ffreestanding -fno-stack-protector -U_FORTIFY_SOURCE
migrate_bproc_ghost_LDFLAGS = $(HARDENING_LDFLAGS) -all-static -nostdlib -nostartfiles
else
EXTRA_DIST += migrate/bare.c
endif

# Set-uid root, see the head of its source. Only root can install it so; without that, ghosts of
# what was forked on nodes are not the children of their parents' ghosts.
pkglibexec_PROGRAMS += migrate/bproc-birth
migrate_bproc_birth_SOURCES = migrate/birth.c migrate/ghostargs.c migrate/ghostargs.h
migrate_bproc_birth_LDADD = proto/libwire.la $(XDR_LIBS)

install-exec-hook:
	test `id -u` != 0 || chmod 4755 $(DESTDIR)$(pkglibexecdir)/bproc-birth
	rm -f $(DESTDIR)$(pkglibexecdir)/bproc-criu.la

# Goes into CRIU, which may be linked to another C library: nothing but that is used, and no
# sanitizer. Libtool's own description of it is of no use to anybody.
execmodule_LTLIBRARIES += migrate/bproc-criu.la
migrate_bproc_criu_la_SOURCES = migrate/criuready.c migrate/criuready.h migrate/criu.h \
	migrate/criuchild.c migrate/criuchild.h migrate/fdpacket.c migrate/fdpacket.h \
	common/fault.c common/fault.h
migrate_bproc_criu_la_CFLAGS = $(WARNING_CFLAGS) $(HARDENING_CFLAGS)
migrate_bproc_criu_la_LDFLAGS = -module -avoid-version -shared $(HARDENING_LDFLAGS)

noinst_LTLIBRARIES += migrate/libmigrate.la

migrate_libmigrate_la_SOURCES = \
	migrate/aesgcm.c migrate/aesgcm.h \
	migrate/carry.c migrate/carry.h \
	migrate/connectback.c migrate/connectback.h \
	migrate/criu.c migrate/criu.h \
	migrate/criuworker.c migrate/criuworker.h migrate/criuready.h \
	migrate/fdpacket.c migrate/fdpacket.h \
	migrate/filehash.c migrate/filehash.h \
	migrate/imageedit.c migrate/imageedit.h \
	migrate/imagefile.c migrate/imagefile.h \
	migrate/imagerestrain.c migrate/imagerestrain.h \
	migrate/imagerewrite.c migrate/imagerewrite.h \
	migrate/memorylist.c migrate/memorylist.h \
	migrate/memorypass.c migrate/memorypass.h \
	migrate/memoryruns.c migrate/memoryruns.h \
	migrate/near.c migrate/near.h \
	migrate/pagehash.c migrate/pagehash.h \
	migrate/memorybatch.c migrate/memorybatch.h \
	migrate/memoryqueue.c migrate/memoryqueue.h \
	migrate/pageoffer.c migrate/pageoffer.h \
	migrate/pagestore.c migrate/pagestore.h \
	migrate/readers.c migrate/readers.h
migrate_libmigrate_la_LIBADD = migrate/librelay.la $(CRIU_LIBS) $(IPSEC_MB_LIBS)

migrate_bproc_mover_SOURCES = \
	migrate/mover.c \
	migrate/carriers.c migrate/carriers.h \
	migrate/criuserver.c migrate/criuserver.h \
	migrate/departure.c migrate/departure.h migrate/departure_parts.h \
	migrate/departure_dump.c migrate/departure_file.c migrate/departure_node.c \
	migrate/departure_lazy.c migrate/departure_vector.c \
	migrate/dumpfile.c migrate/dumpfile_read.c migrate/dumpfile.h \
	migrate/files.c migrate/files.h \
	migrate/imagecheck.c migrate/imagecheck.h \
	migrate/imagesend.c migrate/imagesend.h \
	migrate/mountns.c migrate/mountns.h \
	migrate/nodelink.c migrate/nodelink.h \
	migrate/memoryhold.c migrate/memoryhold.h \
	migrate/memoryread.c migrate/memoryread.h \
	migrate/memorysend.c migrate/memorysend.h \
	migrate/memorywalk.c migrate/memorywalk.h
migrate_bproc_mover_LDADD = migrate/libmigrate.la common/libcommon.la proto/libproto.la \
	$(EVENT_LIBS) $(OPENSSL_LIBS)

migrate_bproc_receiver_SOURCES = \
	migrate/receiver.c \
	migrate/guests.c migrate/guests.h \
	migrate/arrival.c migrate/arrival.h \
	migrate/arrival_gate.c \
	migrate/arrival_launch.c migrate/arrival_launch.h \
	migrate/arrival_lazy.c migrate/arrival_lazy.h \
	migrate/arrival_register.c migrate/arrival_register.h \
	migrate/arrival_restore.c migrate/arrival_restore.h \
	migrate/arrival_vector.c migrate/arrival_vector.h \
	migrate/filecache.c migrate/filecache.h \
	migrate/mappednames.c migrate/mappednames.h \
	migrate/imagecheck.c migrate/imagecheck.h \
	migrate/imageguest.c migrate/imageguest.h \
	migrate/imagebound.c migrate/imagebound.h \
	migrate/imagekinds.c migrate/imagekinds.h \
	migrate/imagenameless.c migrate/imagenameless.h \
	migrate/imageopen.c migrate/imageopen.h \
	migrate/imagepin.c migrate/imagepin.h \
	migrate/imagetask.c migrate/imagetask.h \
	migrate/imagegate.c migrate/imagegate.h \
	migrate/imagerecv.c migrate/imagerecv.h \
	migrate/nodefiles.c migrate/nodefiles.h \
	migrate/nodelink.c migrate/nodelink.h \
	migrate/owner.c migrate/owner.h \
	migrate/rootopen.c migrate/rootopen.h \
	migrate/memoryfill.c migrate/memoryfill.h \
	migrate/memorygate.c migrate/memorygate.h \
	migrate/memorypull.c migrate/memorypull.h \
	migrate/memoryrecv.c migrate/memoryrecv.h \
	migrate/memoryring.c migrate/memoryring.h \
	migrate/memoryshare.c migrate/memoryshare.h \
	migrate/memoryspace.c migrate/memoryspace.h \
	migrate/memorywants.c migrate/memorywants.h \
	migrate/memoryward.c migrate/memoryward.h \
	migrate/sibling.c migrate/sibling.h migrate/space/procstat.c migrate/space/procstat.h \
	migrate/streamends.c migrate/streamends.h \
	migrate/treekill.c migrate/treekill.h \
	migrate/userfault.c migrate/userfault.h
migrate_bproc_receiver_LDADD = migrate/libmigrate.la common/libcommon.la proto/libproto.la \
	$(EVENT_LIBS) $(OPENSSL_LIBS)

UNIT_TESTS += tests/unit/test_imagecheck
tests_unit_test_imagecheck_SOURCES = \
	tests/unit/test_imagecheck.c tests/unit/tap.h \
	migrate/imagecheck.c migrate/imagecheck.h \
	migrate/imagefile.c migrate/imagefile.h
tests_unit_test_imagecheck_CPPFLAGS = $(AM_CPPFLAGS)

UNIT_TESTS += tests/unit/test_imageguest
tests_unit_test_imageguest_SOURCES = \
	tests/unit/test_imageguest.c tests/unit/image_made.h tests/unit/tap.h \
	migrate/imagefile.c migrate/imagefile.h \
	migrate/imageguest.c migrate/imageguest.h \
	migrate/imagekinds.c migrate/imagekinds.h \
	migrate/imagenameless.c migrate/imagenameless.h \
	migrate/imageopen.c migrate/imageopen.h \
	migrate/imagepin.c migrate/imagepin.h \
	migrate/imagerewrite.c migrate/imagerewrite.h \
	migrate/imagetask.c migrate/imagetask.h \
	migrate/owner.c migrate/owner.h
tests_unit_test_imageguest_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_imageguest_LDADD = proto/libproto.la

UNIT_TESTS += tests/unit/test_imagegate
tests_unit_test_imagegate_SOURCES = \
	tests/unit/test_imagegate.c tests/unit/tap.h \
	migrate/imagegate.c migrate/imagegate.h
tests_unit_test_imagegate_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_imagegate_LDADD = migrate/libmigrate.la common/libcommon.la proto/libproto.la

UNIT_TESTS += tests/unit/test_nodefiles
tests_unit_test_nodefiles_SOURCES = \
	tests/unit/test_nodefiles.c tests/unit/tap.h \
	migrate/filecache.c migrate/filecache.h \
	migrate/mappednames.c migrate/mappednames.h \
	migrate/nodefiles.c migrate/nodefiles.h \
	migrate/owner.c migrate/owner.h \
	migrate/rootopen.c migrate/rootopen.h
tests_unit_test_nodefiles_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_nodefiles_LDADD = migrate/libmigrate.la common/libcommon.la proto/libproto.la \
	$(OPENSSL_LIBS)

UNIT_TESTS += tests/unit/test_pageoffer
tests_unit_test_pageoffer_SOURCES = \
	tests/unit/test_pageoffer.c tests/unit/relay_pair.h tests/unit/tap.h
tests_unit_test_pageoffer_LDADD = migrate/libmigrate.la common/libcommon.la proto/libproto.la \
	$(OPENSSL_LIBS)

UNIT_TESTS += tests/unit/test_aesgcm
tests_unit_test_aesgcm_SOURCES = tests/unit/test_aesgcm.c tests/unit/tap.h
tests_unit_test_aesgcm_LDADD = migrate/libmigrate.la $(OPENSSL_LIBS)

UNIT_TESTS += tests/unit/test_pagehash
tests_unit_test_pagehash_SOURCES = tests/unit/test_pagehash.c tests/unit/tap.h
tests_unit_test_pagehash_LDADD = migrate/libmigrate.la $(OPENSSL_LIBS)

UNIT_TESTS += tests/unit/test_memoryring
tests_unit_test_memoryring_SOURCES = \
	tests/unit/test_memoryring.c tests/unit/tap.h \
	migrate/memoryring.c migrate/memoryring.h
tests_unit_test_memoryring_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_memoryring_LDADD = migrate/libmigrate.la common/libcommon.la proto/libproto.la \
	$(OPENSSL_LIBS)

UNIT_TESTS += tests/unit/test_memorywants
tests_unit_test_memorywants_SOURCES = \
	tests/unit/test_memorywants.c tests/unit/tap.h \
	migrate/memorywants.c migrate/memorywants.h
tests_unit_test_memorywants_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_memorywants_LDADD = proto/libproto.la

UNIT_TESTS += tests/unit/test_memoryspace
tests_unit_test_memoryspace_SOURCES = \
	tests/unit/test_memoryspace.c tests/unit/tap.h \
	migrate/memoryspace.c migrate/memoryspace.h \
	migrate/userfault.c migrate/userfault.h
tests_unit_test_memoryspace_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_memoryspace_LDADD = proto/libproto.la

UNIT_TESTS += tests/unit/test_carry
tests_unit_test_carry_SOURCES = \
	tests/unit/test_carry.c tests/unit/relay_pair.h tests/unit/tap.h
tests_unit_test_carry_LDADD = migrate/libmigrate.la common/libcommon.la proto/libproto.la \
	$(OPENSSL_LIBS)

UNIT_TESTS += tests/unit/test_nodelink
tests_unit_test_nodelink_SOURCES = \
	tests/unit/test_nodelink.c tests/unit/tap.h migrate/nodelink.c migrate/nodelink.h
tests_unit_test_nodelink_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_nodelink_LDADD = migrate/libmigrate.la common/libcommon.la proto/libproto.la \
	$(OPENSSL_LIBS)

UNIT_TESTS += tests/unit/test_near
tests_unit_test_near_SOURCES = tests/unit/test_near.c tests/unit/tap.h
tests_unit_test_near_LDADD = migrate/libmigrate.la

UNIT_TESTS += tests/unit/test_memoryqueue
tests_unit_test_memoryqueue_SOURCES = tests/unit/test_memoryqueue.c tests/unit/tap.h
tests_unit_test_memoryqueue_LDADD = migrate/libmigrate.la

UNIT_TESTS += tests/unit/test_memorypull
tests_unit_test_memorypull_SOURCES = \
	tests/unit/test_memorypull.c tests/unit/relay_pair.h tests/unit/tap.h \
	migrate/memorypull.c migrate/memorypull.h migrate/nodelink.c migrate/nodelink.h
tests_unit_test_memorypull_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_memorypull_LDADD = migrate/libmigrate.la common/libcommon.la proto/libproto.la \
	$(OPENSSL_LIBS)

UNIT_TESTS += tests/unit/test_imagebound
tests_unit_test_imagebound_SOURCES = \
	tests/unit/test_imagebound.c tests/unit/tap.h \
	migrate/imagebound.c migrate/imagebound.h \
	migrate/imagefile.c migrate/imagefile.h \
	migrate/imagerewrite.c migrate/imagerewrite.h
tests_unit_test_imagebound_CPPFLAGS = $(AM_CPPFLAGS)

UNIT_TESTS += tests/unit/test_imagerestrain
tests_unit_test_imagerestrain_SOURCES = tests/unit/test_imagerestrain.c tests/unit/tap.h
tests_unit_test_imagerestrain_LDADD = migrate/libmigrate.la
