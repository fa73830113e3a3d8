#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Load something large once, then fork it onto every node.

Reads a text and makes an index of it: each word and the lines it is on. Reading it on each node
would cost the time as often as there are nodes; here every child has the index in its memory when
it begins, looks up its share of the words and answers through a pipe made before the forks.

    shared_index.py /usr/share/common-licenses/GPL-3
"""

import argparse
import collections
import os
import sys

import bproc


def index_make(path):
    index = collections.defaultdict(list)
    with open(path, encoding="utf-8") as text:
        for number, line in enumerate(text, 1):
            for word in line.split():
                index[word.strip(".,;:()\"'").lower()].append(number)
    return dict(index)


def child_run(index, words, out):
    best = max(words, key=lambda word: len(index[word]))
    os.write(out, f"node {bproc.currnode()}: {len(words)} words, most often: {best!r} on "
                  f"{len(index[best])} lines\n".encode())


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="the text")
    path = parser.parse_args().file
    try:
        index = index_make(path)
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"shared_index.py: cannot read {path}: {error}")
    nodes = [node.number for node in bproc.nodes("up")]
    words = sorted(index)
    print(f"{len(words)} words of {path}, looked up on {len(nodes)} nodes", flush=True)
    reading, writing = os.pipe()
    children = []
    for turn, node in enumerate(nodes):
        pid = bproc.rfork(node)
        if pid == 0:
            child_run(index, words[turn::len(nodes)], writing)
            os._exit(0)
        children.append(pid)
    os.close(writing)
    with os.fdopen(reading) as answers:
        for line in sorted(answers):
            print(line, end="")
    statuses = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
    sys.exit(max(statuses, default=1))


if __name__ == "__main__":
    main()
