# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For tests of programs that were written for an older BProc; sourced after lib.sh.

export PKG_CONFIG_PATH=$BPLAB_STAGE$BPROC_LIBDIR/pkgconfig PKG_CONFIG_SYSROOT_DIR=$BPLAB_STAGE

# api_compiles PROGRAM...: those C programs of tests/progs compile as they are, with all warnings; and
# so does the C++ program on stdin.
api_compiles() {
    local program flags
    read -ra flags <<<"$(pkg-config --cflags --libs libbproc)"
    for program; do
        ok "${program##*/} compiles with the installed header" \
            "${CC:-cc}" -std=gnu11 -Wall -Wextra -Werror -I"$BPROC_SOURCE" -o "$TMP/program" \
            "$program" "${flags[@]}"
    done
    cat >"$TMP/program.cc"
    ok "and so does C++" "${CXX:-c++}" -Wall -Wextra -Werror -o "$TMP/program" "$TMP/program.cc" \
        "${flags[@]}"
}
