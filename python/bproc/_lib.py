# SPDX-License-Identifier: LGPL-2.1-or-later
"""libbproc by ctypes: the prototypes of <sys/bproc.h>, and errors as exceptions.

The library is loaded without giving up the interpreter's lock during calls (PyDLL), because some
of them fork: the child must hold it.
"""

import ctypes
import operator
import os

BE_FIRST = 300

_lib = ctypes.PyDLL(os.environ.get("BPROC_LIBRARY", "libbproc.so.1"), use_errno=True)

class BprocError(OSError):
    """A call failed in a way only BProc knows: `errno` is one of the BE_ constants."""

class NodeInfo(ctypes.Structure):
    _fields_ = [("node", ctypes.c_int), ("status", ctypes.c_int), ("mode", ctypes.c_int),
                ("user", ctypes.c_uint16), ("group", ctypes.c_uint16), ("addr", ctypes.c_uint32),
                ("uid", ctypes.c_uint32), ("gid", ctypes.c_uint32)]

class ProcInfo(ctypes.Structure):
    _fields_ = [("pid", ctypes.c_int), ("node", ctypes.c_int)]

class Version(ctypes.Structure):
    _fields_ = [("magic", ctypes.c_char * 3), ("arch", ctypes.c_uint8),
                ("protocol", ctypes.c_uint32), ("version", ctypes.c_char * 24)]

_strings = ctypes.POINTER(ctypes.c_char_p)

_prototypes = {
    "bproc_rfork": [ctypes.c_int],
    "_bproc_rfork": [ctypes.c_int, ctypes.c_int],

    "bproc_move": [ctypes.c_int],
    "_bproc_move": [ctypes.c_int, ctypes.c_int],
    "bproc_rexec": [ctypes.c_int, ctypes.c_char_p, _strings, _strings],
    "bproc_execmove": [ctypes.c_int, ctypes.c_char_p, _strings, _strings],
    "bproc_numnodes": [],
    "bproc_currnode": [],
    "bproc_nodestatus": [ctypes.c_int],
    "bproc_nodelist": [ctypes.POINTER(ctypes.POINTER(NodeInfo))],
    "bproc_access": [ctypes.c_int, ctypes.c_int],
    "bproc_notifier": [],
    "bproc_pidnode": [ctypes.c_int],
    "bproc_proclist": [ctypes.c_int, ctypes.POINTER(ctypes.POINTER(ProcInfo))],
    "bproc_version": [ctypes.POINTER(Version)],
}

for _name, _arguments in _prototypes.items():
    getattr(_lib, _name).argtypes = _arguments

_lib.bproc_strerror.argtypes = [ctypes.c_int]
_lib.bproc_strerror.restype = ctypes.c_char_p

_free = ctypes.CDLL(None).free
_free.argtypes = [ctypes.c_void_p]
_free.restype = None

def strerror(error):
    """The text for an errno or BE_ value."""
    return _lib.bproc_strerror(error).decode()

def failure(what):
    """The exception for the call that just failed: an OSError."""
    error = ctypes.get_errno()
    # OSError itself chooses FileNotFoundError and its like.
    kind = BprocError if error >= BE_FIRST else OSError
    return kind(error, f"cannot {what}: {strerror(error)}")

def _number(what, argument):
    """For an int; ctypes itself takes larger ones and drops what does not fit."""
    try:
        number = operator.index(argument)
    except TypeError:
        raise TypeError(f"cannot {what}: {argument!r} is no integer") from None
    if ctypes.c_int(number).value != number:
        raise OverflowError(f"cannot {what}: {number} is no int of C")
    return number

def _invoke(name, what, arguments):
    function = getattr(_lib, name)
    numbered = [_number(what, argument) if kind is ctypes.c_int else argument
                for kind, argument in zip(function.argtypes, arguments)]
    ctypes.set_errno(0)
    return function(*numbered)

def call(name, what, *arguments):
    """Result of the function `name`. Raises OSError if it is -1: "cannot `what`"."""
    result = _invoke(name, what, arguments)
    if result == -1:
        raise failure(what)
    return result

def lookup(name, what, none, *arguments):
    """Result of a function for which `none` says nothing, or with errno set that it failed."""
    result = _invoke(name, what, arguments)
    if result == none and ctypes.get_errno():
        raise failure(what)
    return result

def array(name, what, structure, *arguments):
    """The list that a function which allocates one gives, as copies."""
    found = ctypes.POINTER(structure)()
    count = call(name, what, *arguments, ctypes.byref(found))
    try:
        return [structure.from_buffer_copy(found[i]) for i in range(count)]
    finally:
        _free(found)

def vector(strings):
    """A NULL-terminated char *[]."""
    encoded = [os.fsencode(string) for string in strings]
    return (ctypes.c_char_p * (len(encoded) + 1))(*encoded, None)
