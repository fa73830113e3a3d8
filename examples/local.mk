# SPDX-License-Identifier: GPL-2.0-or-later

examples_PROGRAMS += examples/wordcount

examples_wordcount_SOURCES = examples/wordcount.c
examples_wordcount_LDADD = libbproc/libbproc.la

dist_examples_SCRIPTS = examples/shared_index.py
