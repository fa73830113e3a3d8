# SPDX-License-Identifier: GPL-2.0-or-later
#
# ./configure CC=clang --enable-fuzzing, then: tests/fuzz/fuzz_message -max_total_time=60 corpus/

if FUZZING
noinst_PROGRAMS += tests/fuzz/fuzz_message tests/fuzz/fuzz_conn tests/fuzz/fuzz_elf \
	tests/fuzz/fuzz_copy

tests_fuzz_fuzz_message_SOURCES = tests/fuzz/fuzz_message.c
tests_fuzz_fuzz_message_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
tests_fuzz_fuzz_message_LDADD = proto/libproto.la

tests_fuzz_fuzz_conn_SOURCES = tests/fuzz/fuzz_conn.c
tests_fuzz_fuzz_conn_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
tests_fuzz_fuzz_conn_LDADD = common/libcommon.la

tests_fuzz_fuzz_elf_SOURCES = tests/fuzz/fuzz_elf.c
tests_fuzz_fuzz_elf_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
tests_fuzz_fuzz_elf_LDADD = migrate/libmigrate.la

tests_fuzz_fuzz_copy_SOURCES = tests/fuzz/fuzz_copy.c \
	tools/bpcp_file.c tools/bpcp_name.c tools/bpcp_report.c tools/bpcp_stream.c \
	tools/bpcp_target.c
tests_fuzz_fuzz_copy_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
tests_fuzz_fuzz_copy_LDADD = proto/libproto.la
endif
