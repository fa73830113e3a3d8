# SPDX-License-Identifier: GPL-2.0-or-later
#
# Never part of `make check`: figures depend on the machine, and its quiet.

noinst_PROGRAMS += bench/bench-process bench/bench-time bench/bench-tlsping \
	bench/bench-streamfloor bench/bench-ready bench/bench-swarm bench/bench-notifiers \
	bench/bench-vector bench/bench-floor bench/bench-pagefloor bench/bench-lazy bench/bench-knock \
	bench/bench-copyfloor bench/bench-criufloor

bench_bench_process_SOURCES = bench/process.c bench/memory.c bench/memory.h \
	bench/stopwatch.c bench/stopwatch.h
bench_bench_process_LDADD = libbproc/libbproc.la
bench_bench_vector_SOURCES = bench/vector.c bench/memory.c bench/memory.h \
	bench/stopwatch.c bench/stopwatch.h
bench_bench_vector_LDADD = libbproc/libbproc.la
bench_bench_floor_SOURCES = bench/floor.c bench/memory.c bench/memory.h \
	bench/stopwatch.c bench/stopwatch.h
bench_bench_floor_LDADD = migrate/libmigrate.la $(OPENSSL_LIBS)
bench_bench_pagefloor_SOURCES = bench/pagefloor.c bench/memory.c bench/memory.h \
	bench/tlspeer.c bench/tlspeer.h bench/stopwatch.c bench/stopwatch.h
bench_bench_pagefloor_LDADD = migrate/libmigrate.la $(OPENSSL_LIBS)
bench_bench_lazy_SOURCES = bench/lazy.c bench/memory.c bench/memory.h \
	bench/stopwatch.c bench/stopwatch.h
bench_bench_lazy_LDADD = libbproc/libbproc.la
bench_bench_time_SOURCES = bench/time.c bench/stopwatch.c bench/stopwatch.h
bench_bench_tlsping_SOURCES = bench/tlsping.c bench/tlspeer.c bench/tlspeer.h \
	bench/stopwatch.c bench/stopwatch.h
bench_bench_tlsping_LDADD = migrate/libmigrate.la $(OPENSSL_LIBS)
bench_bench_knock_SOURCES = bench/knock.c bench/stopwatch.c bench/stopwatch.h
bench_bench_knock_CPPFLAGS = $(LIGHT_CPPFLAGS) $(AM_CPPFLAGS)
bench_bench_knock_CFLAGS = $(AM_CFLAGS) $(LIGHT_CFLAGS)
bench_bench_knock_LDFLAGS = $(HARDENING_LDFLAGS) $(LIGHT_LDFLAGS)
bench_bench_knock_LDADD = $(LIGHT_LIBS)
bench_bench_streamfloor_SOURCES = bench/streamfloor.c bench/tlspeer.c bench/tlspeer.h \
	bench/stopwatch.c bench/stopwatch.h
bench_bench_streamfloor_LDADD = migrate/libmigrate.la $(OPENSSL_LIBS)
bench_bench_copyfloor_SOURCES = bench/copyfloor.c bench/tlspeer.c bench/tlspeer.h \
	bench/stopwatch.c bench/stopwatch.h
bench_bench_copyfloor_LDADD = migrate/libmigrate.la $(OPENSSL_LIBS)
bench_bench_criufloor_SOURCES = bench/criufloor.c bench/stopwatch.c bench/stopwatch.h \
	migrate/criu.c migrate/criu.h
bench_bench_criufloor_CFLAGS = $(AM_CFLAGS)
bench_bench_criufloor_LDADD = $(CRIU_LIBS)
bench_bench_ready_SOURCES = bench/ready.c bench/stopwatch.c bench/stopwatch.h

bench_bench_notifiers_SOURCES = bench/notifiers.c bench/stopwatch.c bench/stopwatch.h
bench_bench_notifiers_LDADD = libbproc/libbproc.la

bench_bench_swarm_SOURCES = bench/swarm.c bench/swarm.h \
	bench/swarm_node.c bench/swarm_node.h \
	bench/swarm_tokens.c bench/swarm_tokens.h \
	bench/swarm_worker.c bench/swarm_worker.h \
	bench/stopwatch.c bench/stopwatch.h slaved/hostattr.c slaved/hostattr.h
bench_bench_swarm_CFLAGS = $(AM_CFLAGS)
bench_bench_swarm_LDADD = libbproc/libclient.la common/libcommon.la

BENCH_CASES = bench/small.bash bench/shell.bash bench/large.bash bench/stream.bash \
	bench/fanout.bash bench/rate.bash bench/repeat.bash bench/copy.bash \
	bench/footprint.bash bench/scale.bash bench/vector.bash bench/children.bash \
	bench/lazy.bash bench/peak.bash
EXTRA_DIST += bench/run bench/README.md bench/cluster.bash bench/case.bash bench/race.bash \
	bench/results.bash bench/results.jq bench/peer.bash bench/peer_ssh.bash bench/peer_slurm.bash \
	bench/report bench/tables.jq bench/plots.bash bench/plots.jq \
	bench/check bench/nightly bench/check.jq bench/baseline.jq bench/baseline.json bench/criu-by-hand \
	bench/criu-restores bench/scale-master $(BENCH_CASES)

BENCH_ENV = BPROC_BUILD='$(abs_top_builddir)' BPROC_PREFIX='$(prefix)' BPLAB_STAGE='$(STAGE)'

bench: all
	$(MAKE) --no-print-directory stage
	$(BENCH_ENV) $(srcdir)/bench/run $(BENCHFLAGS)

# Nightly: fails if ratios got worse than those in bench/baseline.json.
bench-check: all
	$(MAKE) --no-print-directory stage
	$(BENCH_ENV) $(srcdir)/bench/nightly bench-check.json

.PHONY: bench bench-check
