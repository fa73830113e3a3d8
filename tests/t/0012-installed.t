#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `make install` gives what a user was promised, and no more symbols than that.
. "${0%/*}/lib.sh"

[[ -d $BPLAB_STAGE ]] || skip_all "nothing is installed in $BPLAB_STAGE"
library=$BPLAB_STAGE$BPROC_LIBDIR/libbproc.so

for program in "$BPROC_SBINDIR"/{masterd,slaved,bpctl} \
    "$BPROC_BINDIR"/{bprun,beorun,mpprun,bpmap,beomap} \
    "$BPROC_BINDIR"/{bpcp,bprsh,bpsh,bpstat,bptop,bplab} \
    "$BPROC_LIBEXECDIR"/bproc-{ghost,mover,receiver,space,usage}; do
    ok "$program is installed" test -x "$BPLAB_STAGE$program"
done
for tool in bpcp bpctl bplib bprsh bprun bpsh bpstat bptop; do
    fails "$tool tells when its help cannot be written" \
        env LD_LIBRARY_PATH="$BPLAB_STAGE$BPROC_LIBDIR" \
        PATH="$BPLAB_STAGE$BPROC_BINDIR:$BPLAB_STAGE$BPROC_SBINDIR:$PATH" \
        sh -c "$tool --version && $tool --help >/dev/full"
    like "with the reason" "$(tail -n 1 "$TMP/out")" "^$tool: cannot write stdout: No space left"
done
for link in ssh:bprsh rsh:bprsh scp:bpcp rcp:bpcp; do
    is "the shim folder has ${link%:*}" \
        "$(readlink "$BPLAB_STAGE$BPROC_LIBDIR/bproc/shim/${link%:*}")" "$BPROC_BINDIR/${link#*:}"
done
ok "the library is installed" test -e "$library"
ok "what goes into CRIU is installed" test -e "$BPLAB_STAGE$BPROC_LIBEXECDIR/bproc-criu.so"
fails "and nothing else of it" test -e "$BPLAB_STAGE$BPROC_LIBEXECDIR/bproc-criu.la"
ok "the header is installed" test -e "$BPLAB_STAGE$BPROC_PREFIX/include/sys/bproc.h"
ok "with its other form" test -e "$BPLAB_STAGE$BPROC_PREFIX/include/sys/bproc4.h"
ok "systemd units are installed" \
    test -e "$BPLAB_STAGE$BPROC_PREFIX/lib/systemd/system/masterd.service"

symbols=$(nm -D --defined-only "$library" 2>"$TMP/err" | awk '$2 != "A" { print $3 }')
like "the library exports the calls" "$symbols" "bproc_rfork"
is "and nothing else" "$(grep -vE '^_?bproc4?_' <<<"$symbols")" ""
like "its symbols are versioned" "$symbols" "bproc_rfork@@LIBBPROC_"

export PKG_CONFIG_PATH=$BPLAB_STAGE$BPROC_LIBDIR/pkgconfig PKG_CONFIG_SYSROOT_DIR=$BPLAB_STAGE
cat >"$TMP/program.c" <<'END'
#include <sys/bproc.h>
int main(void) { return bproc_numnodes() < -1; }
END
# shellcheck disable=SC2046
ok "a program compiles and links with what pkg-config says" \
    ${CC:-cc} -std=c11 -Wall -Werror -o "$TMP/program" "$TMP/program.c" \
    $(pkg-config --cflags --libs libbproc)
if type -P clang >/dev/null; then
    ok "the header stands alone, in C++ too" clang -x c++ -Wall -Werror -fsyntax-only \
        "$BPLAB_STAGE$BPROC_PREFIX/include/sys/bproc.h"
    ok "and so does its form of BProc 4" clang -x c++ -Wall -Werror -fsyntax-only \
        -DBPROC_API_VERSION=4 -I"$BPLAB_STAGE$BPROC_PREFIX/include" \
        "$BPLAB_STAGE$BPROC_PREFIX/include/sys/bproc.h"
else
    skip "the header stands alone, in C++ too" "needs clang"
fi
done_testing
