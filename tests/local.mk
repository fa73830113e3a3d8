# SPDX-License-Identifier: GPL-2.0-or-later
#
# UNIT_TESTS are C programs that need nothing but themselves; SYSTEM_TESTS are scripts that start a
# virtual cluster from what `make stage` installed. All of them speak TAP.

UNIT_TESTS += tests/unit/test_tap

tests_unit_test_tap_SOURCES = tests/unit/test_tap.c tests/unit/tap.h

SYSTEM_TESTS += tests/t/0010-man.t
SYSTEM_TESTS += tests/t/0011-sources.t
SYSTEM_TESTS += tests/t/0012-installed.t
SYSTEM_TESTS += tests/t/0015-bench.t
SYSTEM_TESTS += tests/t/0100-lab.t
SYSTEM_TESTS += tests/t/0101-links.t
SYSTEM_TESTS += tests/t/0110-quickstart.t
SYSTEM_TESTS += tests/t/0200-config.t
SYSTEM_TESTS += tests/t/0210-join.t
SYSTEM_TESTS += tests/t/0220-nodes.t
SYSTEM_TESTS += tests/t/0230-daemons.t
SYSTEM_TESTS += tests/t/0240-swarm.t
SYSTEM_TESTS += tests/t/0320-streams.t
SYSTEM_TESTS += tests/t/0321-connectback.t
SYSTEM_TESTS += tests/t/0322-volume.t
SYSTEM_TESTS += tests/t/0323-shared.t
SYSTEM_TESTS += tests/t/0325-pages.t
SYSTEM_TESTS += tests/t/0326-lazy.t
SYSTEM_TESTS += tests/t/0327-lazy-faults.t
SYSTEM_TESTS += tests/t/0328-lazy-streams.t
SYSTEM_TESTS += tests/t/0329-lazy-slow.t
SYSTEM_TESTS += tests/t/0330-dumpflags.t
SYSTEM_TESTS += tests/t/0335-criu.t
SYSTEM_TESTS += tests/t/0360-space.t
SYSTEM_TESTS += tests/t/0370-api3.t
SYSTEM_TESTS += tests/t/0371-api4.t
SYSTEM_TESTS += tests/t/0375-vector.t
SYSTEM_TESTS += tests/t/0365-jobs.t
SYSTEM_TESTS += tests/t/0366-kin.t
SYSTEM_TESTS += tests/t/0367-restraint.t
SYSTEM_TESTS += tests/t/0380-dump.t
SYSTEM_TESTS += tests/t/0380-dump.t tests/t/0381-dump-nodes.t tests/t/0382-master-files.t
SYSTEM_TESTS += tests/t/0400-faults.t
SYSTEM_TESTS += tests/t/0401-admin-faults.t
SYSTEM_TESTS += tests/t/0410-load.t
SYSTEM_TESTS += tests/t/0411-crowd.t
SYSTEM_TESTS += tests/t/0420-restart.t
SYSTEM_TESTS += tests/t/0430-nodeloss.t
SYSTEM_TESTS += tests/t/0440-hostile.t
SYSTEM_TESTS += tests/t/0441-traitor.t
SYSTEM_TESTS += tests/t/0500-bpsh.t
SYSTEM_TESTS += tests/t/0501-bpsh-many.t
SYSTEM_TESTS += tests/t/0502-bpsh-short.t
SYSTEM_TESTS += tests/t/0510-bpstat.t
SYSTEM_TESTS += tests/t/0520-bpctl.t
SYSTEM_TESTS += tests/t/0530-bptop.t
SYSTEM_TESTS += tests/t/0540-completion.t
SYSTEM_TESTS += tests/t/0521-power.t
SYSTEM_TESTS += tests/t/0522-chroot.t
SYSTEM_TESTS += tests/t/0523-reconnect.t
SYSTEM_TESTS += tests/t/0524-bplib.t
SYSTEM_TESTS += tests/t/0525-detach.t
SYSTEM_TESTS += tests/t/0550-bpcp.t
SYSTEM_TESTS += tests/t/0551-bpcp-chain.t
SYSTEM_TESTS += tests/t/0560-bprun.t
SYSTEM_TESTS += tests/t/0600-man-examples.t
SYSTEM_TESTS += tests/t/0700-agents.t
SYSTEM_TESTS += tests/t/0701-agents-mpi.t
SYSTEM_TESTS += tests/t/0702-agents-copy.t
SYSTEM_TESTS += tests/t/0703-agents-volume.t
SYSTEM_TESTS += tests/t/0704-agents-fan.t
SYSTEM_TESTS += tests/t/0705-agents-ansible.t
SYSTEM_TESTS += tests/t/0706-agents-terminal.t
SYSTEM_TESTS += tests/t/0800-python.t

check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS) $(SYSTEM_TESTS)
EXTRA_DIST += tests/progs/agent_terminal.py tests/progs/mpi_ring.c
EXTRA_DIST += $(SYSTEM_TESTS) tests/t/lib.sh tests/t/api.sh tests/t/load.sh tests/t/steady.sh \
	tests/t/copies.sh tests/t/travel.sh tests/python/calls.py tests/python/pools.py tests/python/tap.py

TEST_EXTENSIONS = .t
TAP_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
LOG_DRIVER = $(TAP_DRIVER)
LOG_COMPILER = timeout -k 10 120
T_LOG_DRIVER = $(TAP_DRIVER)
T_LOG_COMPILER = timeout -k 30 600

AM_TESTS_ENVIRONMENT = \
	BPLAB_STAGE='$(STAGE)'; export BPLAB_STAGE; \
	BPROC_SOURCE='$(abs_top_srcdir)'; export BPROC_SOURCE; \
	BPROC_BUILD='$(abs_top_builddir)'; export BPROC_BUILD; \
	BPROC_PREFIX='$(prefix)'; export BPROC_PREFIX; \
	BPROC_BINDIR='$(bindir)'; export BPROC_BINDIR; \
	BPROC_SBINDIR='$(sbindir)'; export BPROC_SBINDIR; \
	BPROC_LIBDIR='$(libdir)'; export BPROC_LIBDIR; \
	BPROC_LIBEXECDIR='$(pkglibexecdir)'; export BPROC_LIBEXECDIR; \
	BPROC_PYTHON='$(PYTHON)'; export BPROC_PYTHON; \
	BPROC_PYTHONDIR='$(pythondir)'; export BPROC_PYTHONDIR; \
	BPROC_PYTHON_FINDS='$(bproc_python_finds)'; export BPROC_PYTHON_FINDS;

# Where the software lies as installed without being so: the nodes of a virtual cluster see it at
# its prefix, the machine itself never does.
STAGE = $(abs_builddir)/stage

stage: all
	$(AM_V_at)$(MAKE) --no-print-directory install DESTDIR='$(STAGE)' >'$(STAGE).log' 2>&1 || \
		{ cat '$(STAGE).log'; exit 1; }

check_DATA += $(STAGE).done

$(STAGE).done: $(bin_PROGRAMS) $(sbin_PROGRAMS) $(pkglibexec_PROGRAMS) $(examples_PROGRAMS) \
		$(bin_SCRIPTS) $(pkglibexec_SCRIPTS) $(lib_LTLIBRARIES) $(dist_man_MANS) \
		$(nodist_man_MANS) $(public_HEADERS)
	$(AM_V_at)$(MAKE) --no-print-directory stage
	$(AM_V_GEN)touch '$@'

# For sanitizer builds: what needs no cluster, and no installation.
check-unit: $(BUILT_SOURCES)
	$(MAKE) $(check_PROGRAMS)
	$(MAKE) check-TESTS TESTS='$(UNIT_TESTS)'

clean-local:
	-rm -rf stage stage.log stage.done demo demo.log demo.done

.PHONY: stage check-unit
