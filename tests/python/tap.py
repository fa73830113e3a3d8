# SPDX-License-Identifier: GPL-2.0-or-later
"""TAP for the tests in Python."""

import sys

_count = 0
_failed = 0


def ok(name, good):
    global _count, _failed
    _count += 1
    _failed += not good
    print(f"{'' if good else 'not '}ok {_count} - {name}", flush=True)
    return good


def is_(name, got, want):
    if not ok(name, got == want):
        print(f"# got {got!r}, want {want!r}", flush=True)


def raises(name, kind, function, *args, **kwds):
    """The exception."""
    try:
        got = function(*args, **kwds)
    except kind as error:
        ok(name, True)
        return error
    except Exception as error:
        got = repr(error)
    ok(name, False)
    print(f"# got {got!r}, want {kind.__name__}", flush=True)
    return None


def done():
    print(f"1..{_count}", flush=True)
    sys.exit(_failed != 0)
