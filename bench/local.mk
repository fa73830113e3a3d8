# SPDX-License-Identifier: GPL-2.0-or-later
#
# Never part of `make check`: figures depend on the machine, and its quiet.

noinst_PROGRAMS += bench/bench-process bench/bench-time

bench_bench_process_SOURCES = bench/process.c bench/memory.c bench/memory.h \
	bench/stopwatch.c bench/stopwatch.h
bench_bench_process_LDADD = libbproc/libbproc.la
bench_bench_time_SOURCES = bench/time.c bench/stopwatch.c bench/stopwatch.h

BENCH_CASES = bench/small.bash bench/shell.bash bench/large.bash bench/stream.bash \
	bench/fanout.bash
EXTRA_DIST += bench/run bench/README.md bench/cluster.bash bench/peer.bash bench/report.bash \
	$(BENCH_CASES)

bench: all
	$(MAKE) --no-print-directory stage
	BPROC_BUILD='$(abs_top_builddir)' BPROC_PREFIX='$(prefix)' BPLAB_STAGE='$(STAGE)' \
		$(srcdir)/bench/run $(BENCHFLAGS)

.PHONY: bench
