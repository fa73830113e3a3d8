#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# rsync, git, scp, sftp, tar and distcc over bprsh.
# shellcheck disable=SC2016  # the nodes' shells expand
. "${0%/*}/lib.sh"
need_tool rsync git scp sftp distcc distccd gcc
lab_up 2

# The shell on the master runs this.
here() {
    on master bash -c "cd /root; $1" </dev/null
}

# tree PLACE: what lies there, with kinds, modes, links and contents.
tree() {
    here "$1 'cd /tmp/$2 && find . -printf \"%y %m %P %l\n\" | sort &&
        find . -type f -print0 | sort -z | xargs -0 sha256sum'"
}

# rsync.
here 'mkdir -p /tmp/a/sub/deep "/tmp/a/with blank"; cd /tmp/a
    head -c 3000000 /dev/urandom >large; echo x >sub/deep/x; echo y >"with blank/y '"'"'z"
    ln -s large link; chmod 640 large; chmod 700 sub'
ok "rsync to a node" here 'rsync -a --delete -e bprsh /tmp/a/ n0:/tmp/a/'
is "brings all" "$(tree 'bprsh n0' a)" "$(tree 'sh -c' a)"
here 'bprsh n0 "echo more >/tmp/a/extra"; rm -r /tmp/a/sub; echo new >/tmp/a/new'
ok "once more" here 'rsync -a --delete -e bprsh /tmp/a/ n0:/tmp/a/'
is "deletes what is gone" "$(tree 'bprsh n0' a)" "$(tree 'sh -c' a)"
ok "back, by RSYNC_RSH and with a user" here 'RSYNC_RSH=bprsh rsync -a root@n0:/tmp/a/ /tmp/b/'
is "brings all, too" "$(tree 'sh -c' b)" "$(tree 'sh -c' a)"
ok "a path without a slash is in the home directory" here 'rsync -e bprsh /tmp/a/new n0:kept
    [ "$(bprsh n0 cat kept)" = new ]'
fails "a file that is not there" here 'rsync -e bprsh n0:/tmp/fish /tmp/'
like "is told" "$(cat "$TMP/out")" "/tmp/fish.* failed: No such file or directory"

some_came() {
    (( $(on n1 sh -c 'cat /tmp/.long.*' | wc -c) > 100000 ))
}

# stopped ARGUMENT...: rsync that is stopped in the middle of it, when some has come to n1, with its
# bprsh, as from a terminal.
stopped() {
    { wait_for 20 some_came; on master bash -c 'kill -INT -- "-$(pgrep -o -x rsync)"'; } &
    here "setsid rsync --partial --bwlimit=4000 -e bprsh $*; [ \$? = 20 ]"
}
here 'head -c 40000000 /dev/urandom >/tmp/long'
ok "rsync that is interrupted" stopped /tmp/long n1:/tmp/long
ok "leaves nothing running" wait_for 20 on n1 sh -c '! pgrep -x rsync'
size=$(on n1 stat -c %s /tmp/long)
like "keeps what came" "$size" '^[1-9][0-9]{5,7}$'
literal=$(here 'rsync --append-verify --stats -e bprsh /tmp/long n1:/tmp/long' |
    sed -n 's/^Literal data: \([0-9,]*\).*/\1/p' | tr -d ,)
is "and goes on from there" "$(( literal + size ))" 40000000
is "with the same bytes" "$(here 'bprsh n1 sha256sum /tmp/long')" "$(here 'sha256sum /tmp/long')"

# git.
cat >"$TMP/repository" <<'END'
git config --global user.email alice@example.org
git config --global user.name alice
git config --global init.defaultBranch main
git init -q "$1"; cd "$1"
for i in 1 2 3; do seq "$i" 50000 >"f$i"; git add .; git commit -qm "change $i"; done
END
on n0 bash -c 'cd /root; bash -s "/root/a project"' <"$TMP/repository" 2>/dev/null
head=$(on n0 git -C '/root/a project' rev-parse HEAD)
ok "git clone" here 'GIT_SSH=bprsh GIT_SSH_VARIANT=simple git clone -q "n0:a project" one'
is "has what was there" "$(here 'git -C one rev-parse HEAD')" "$head"
ok "it finds out what bprsh is" here 'GIT_SSH=bprsh git clone -q "ssh://root@n0/root/a project" two'
is "and gets the same" "$(here 'git -C two rev-parse HEAD')" "$head"
ok "git push" here 'cd two; git config user.email a@example.org; git config user.name a
    git checkout -qb new; echo x >f1; git commit -qam new
    GIT_SSH_COMMAND="bprsh -x" git push -q origin new'
is "brings it there" "$(on n0 git -C '/root/a project' rev-parse new)" \
    "$(here 'git -C two rev-parse HEAD')"
exits 128 "a repository that is none" here 'GIT_SSH=bprsh git clone -q n0:fish three'

# scp and sftp, with OpenSSH's server on the node.
ok "scp" here 'scp -q -S bprsh /tmp/long n0:/tmp/scp && scp -q -p -S bprsh n0:/tmp/scp /tmp/scp'
ok "there and back" here 'cmp /tmp/long /tmp/scp'
ok "by scp's older way" here 'scp -O -q -r -S bprsh n0:/tmp/a /tmp/old && diff -r /tmp/a /tmp/old'
ok "sftp" here 'echo "get /tmp/scp /tmp/sftp" | sftp -q -b - -S bprsh n0 && cmp /tmp/long /tmp/sftp'
exits 255 "a subsystem that is none" here 'bprsh -s n0 fish'

# distcc.
cat >"$TMP/hello.c" <<'END'
#include <stdio.h>
int main(void) { puts("built"); return 0; }
END
on master sh -c 'cat >/root/hello.c' <"$TMP/hello.c"
distcc='DISTCC_SSH=bprsh DISTCC_FALLBACK=0 DISTCC_HOSTS="@n0 @n1" distcc'
ok "distcc" here "$distcc gcc -c hello.c -o hello.o"
is "compiles" "$(here 'gcc -o hello hello.o && ./hello')" built
is "on a node" "$(here "DISTCC_VERBOSE=1 $distcc gcc -c hello.c -o hello.o 2>&1" |
    sed -n 's/.*compile hello.c on \(@n[01]\) completed ok/\1/p' | cut -c1-2)" "@n"
is "many at once" \
    "$(here "for i in \$(seq 8); do $distcc gcc -c hello.c -o h\$i.o & done; wait; ls h?.o" |
        wc -l)" 8
exits 1 "a mistake" here "echo mistake >bad.c; $distcc gcc -c bad.c"
like "is told" "$(cat "$TMP/out")" "bad.c:1"
done_testing
