#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# clush, pdsh and GNU parallel over bprsh, on 8 nodes.
# shellcheck disable=SC2016  # the nodes' shells expand
. "${0%/*}/lib.sh"
need_tool clush pdsh parallel
parallel --version 2>/dev/null | grep -q '^GNU parallel' || skip_all "needs GNU parallel"
lab_up 8

# The shell on the master runs this.
here() {
    on master bash -c "cd /root; $1" </dev/null
}

each=$(for i in 0 1 2 3 4 5 6 7; do echo "n$i: n$i"; done)

# clush.
clush='clush -O ssh_path=bprsh'
is "clush" "$(here "$clush -w n[0-7] hostname | sort")" "$each"
# Of a slow one it shows on stderr how far it is.
is "gathers" "$(here "echo same | $clush -w n[0-7] -b cat" 2>/dev/null)" "\
---------------
n[0-7] (8)
---------------
same"
exits 8 "gives the highest status" here "$clush -S -w n[0-7] 'exit \$((BPROC_NODE + 1))'"
like "and tells each" "$(cat "$TMP/out")" "clush: n4: exited with exit code 5"
is "tells output from errors" "$(here "$clush -w n[0-1] 'echo no >&2' 2>/dev/null")" ""
is "as another user" "$(here "for n in n0 n1; do bprsh \$n useradd -M -u 4711 alice; done
    useradd -M -u 4711 -s /bin/sh alice; $clush -l alice -w n[0-1] id -un | sort")" \
    $'n0: alice\nn1: alice'
ok "copies to nodes" \
    here "seq 1000 >list; $clush -O scp_path=bpcp -w n[0-7] -c list --dest /tmp/list"
is "each has it" "$(here "$clush -w n[0-7] -b cksum '</tmp/list' 2>/dev/null | tail -1")" \
    "$(here 'cksum <list')"
ok "and back" here "$clush -O scp_path=bpcp -w n[0-7] --rcopy /tmp/list --dest /root/"
is "with the nodes' names" "$(here 'cat list.n? | wc -l')" 8000
is "its exec worker" "$(here 'clush -R exec -w n[0-7] bprsh %h hostname | sort')" "$each"
is "its rsh worker" \
    "$(here 'clush --worker=rsh -O rsh_path=bprsh -w n[0-7] hostname | sort')" "$each"
here 'mkdir -p /etc/clustershell/groups.conf.d
    cp "$(find /usr -name clustershell-groups.conf)" /etc/clustershell/groups.conf.d/bproc.conf'
is "knows groups of nodes" "$(here "$clush -w @bproc:up hostname | sort")" "$each"
here "timeout -s INT 2 $clush -w n[0-7] sleep 33"
ok "what is interrupted ends" wait_for 20 on n7 sh -c '! pgrep -f "^sleep 33"'

# pdsh.
is "pdsh's exec module" "$(here 'pdsh -R exec -w n[0-7] bprsh -l %u %h hostname | sort')" "$each"
shim="PATH=$BPROC_LIBDIR/bproc/shim:\$PATH"
is "its ssh module, by the shim folder" \
    "$(here "$shim pdsh -R ssh -w n[0-7] hostname | sort")" "$each"
exits 7 "gives the highest status" here "$shim pdsh -S -R ssh -w n[0-7] 'exit \$BPROC_NODE'"
is "with the words of PDSH_SSH_ARGS" \
    "$(here "$shim PDSH_SSH_ARGS='-2 -a -x -l%u %h' pdsh -R ssh -w n3 hostname")" "n3: n3"
ok "a command that takes too long" here "$shim pdsh -R ssh -u 1 -w n[0-7] sleep 34"
ok "is ended" wait_for 20 on n7 sh -c '! pgrep -f "^sleep 34"'

# GNU parallel.
parallel='parallel --will-cite --ssh bprsh'
is "parallel" "$(here "$parallel -S 2/n0,2/n1 -k echo {} ::: a b c d" | tr '\n' ' ')" "a b c d "
is "on all nodes of a file" \
    "$(here "bpstat --hostfile=hydra | sed 's/:.*//' >nodes
        $parallel --slf nodes --nonall hostname" | sort -u | wc -l)" 8
is "counts the cores itself" \
    "$(here "$parallel -S n0,n1 -k echo {} ::: 1 2 3" | tr '\n' ' ')" "1 2 3 "
is "with the agent in the host's name" \
    "$(here "parallel --will-cite -S '4/$BPROC_BINDIR/bprsh n2' -k hostname '#' ::: a b")" \
    $'n2\nn2'
here 'mkdir w; cd w; for i in 1 2 3 4; do seq $((i * 1000)) >in$i; done'
ok "takes files there and back" \
    here "cd w; $parallel -S 1/n0,1/n1 --transferfile {} --return {}.out --cleanup \
    'hostname >{}.out; wc -l <{} >>{}.out' ::: in1 in2 in3 in4"
is "with what was to be done" "$(here 'cd w; cat in?.out | grep -v n' | tr '\n' ' ')" \
    "1000 2000 3000 4000 "
is "on both" "$(here 'cd w; cat in?.out | grep n | sort -u' | tr '\n' ' ')" "n0 n1 "
is "and cleans up" "$(here 'for n in n0 n1; do bprsh $n "ls in*" 2>/dev/null; done')" ""
exits 3 "a job that fails stops it" here "$parallel -S 1/n0,1/n1 --halt now,fail=1 \
    'sleep {}; exit 3' ::: 1 35"
ok "with the others" wait_for 20 on n1 sh -c '! pgrep -f "^sleep 35"'
is "binary input in blocks" \
    "$(here "seq 200000 | $parallel -S 1/n0,1/n1,1/n2 --pipe --block 100k wc -l" |
        awk '{ s += $1 } END { print s }')" \
    200000
done_testing
