# SPDX-License-Identifier: GPL-2.0-or-later
#
# A binding in Python's own standard library's terms, installed where there is a Python.

BPROC_PYTHON_FILES = \
	python/bproc/__init__.py \
	python/bproc/_cluster.py \
	python/bproc/_context.py \
	python/bproc/_lib.py \
	python/bproc/_pool.py \
	python/bproc/_process.py

EXTRA_DIST += $(BPROC_PYTHON_FILES)

if HAVE_PYTHON
bprocpythondir = $(pythondir)/bproc
bprocpython_PYTHON = $(BPROC_PYTHON_FILES)
endif
