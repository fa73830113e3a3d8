#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The Python binding: calls, forks, a multiprocessing context and pools over nodes, the example.
. "${0%/*}/lib.sh"

: "${BPROC_PYTHON:=/usr/bin/python3}"
[[ $BPROC_PYTHON != : ]] || skip_all "needs Python 3.9"
: "${BPROC_PYTHONDIR:=$("$BPROC_PYTHON" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')}"
: "${BPROC_PYTHON_FINDS:=yes}"
tests=$BPROC_SOURCE/tests/python
path=$tests
[[ $BPROC_PYTHON_FINDS == yes ]] || path=$BPROC_PYTHONDIR:$tests

python() {
    on master env PYTHONPATH="$path" PYTHONDONTWRITEBYTECODE=1 "$BPROC_PYTHON" "$@"
}

ok "the package is installed" test -f "$BPLAB_STAGE$BPROC_PYTHONDIR/bproc/__init__.py"
lab_up 3
if [[ $BPROC_PYTHON_FINDS == yes ]]; then
    ok "Python finds it by itself" on master env -u PYTHONPATH "$BPROC_PYTHON" -c 'import bproc'
else
    skip "Python finds it by itself" "$BPROC_PYTHON does not look in $BPROC_PYTHONDIR"
fi
cases "calls" python "$tests/calls.py"
cases "pools" python "$tests/pools.py"

text=/usr/share/common-licenses/GPL-3
like "the example has help" "$(python "$BPROC_LIBEXECDIR/examples/shared_index.py" --help)" \
    "^usage: shared_index.py .*fork it onto every node"
exits 1 "a text that is not there" python "$BPROC_LIBEXECDIR/examples/shared_index.py" /none
like "is told" "$(cat "$TMP/out")" "shared_index.py: cannot read /none: .*No such file"
ok "it runs" python "$BPROC_LIBEXECDIR/examples/shared_index.py" "$text"
is "and every node answers" "$(grep -c '^node [012]: [0-9]* words' "$TMP/out")" 3

on master bpctl -S 0-2 -s unavailable
is "nobody finds a node where none is up" "$(python -c '
import bproc
try:
    bproc.get_context().Pool()
except bproc.BprocError as error:
    print(error)')" "[Errno 301] cannot choose a node: none is up that this user may use"
is "a call without a daemon says so" "$("$BPROC_PYTHON" -c '
import os, sys
sys.path[0] = sys.argv[1]
os.environ["BPROC_LIBRARY"] = sys.argv[2]
os.environ["BPROC_SOCKET"] = "/nonexistent"
import bproc
try:
    bproc.numnodes()
except OSError as error:
    print(error)' "$BPLAB_STAGE$BPROC_PYTHONDIR" "$BPLAB_STAGE$BPROC_LIBDIR/libbproc.so.1")" \
    "[Errno 16] cannot count the nodes: Device or resource busy"
done_testing
