#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What bash completes for the tools: options, what they take, nodes, commands, files.
. "${0%/*}/lib.sh"
need_tool script
lab_up 3

lab=$BPROC_BUILD/lab/bplab
completions=$BPROC_PREFIX/share/bash-completion/completions

on master sh -c 'cat >/tmp/completed; mkdir -p /tmp/files/folder; touch /tmp/files/file' <<END
. $completions/bpsh
for COMP_LINE; do
    COMP_POINT=\${#COMP_LINE}
    COMPREPLY=()
    _bproc "\${COMP_LINE%% *}" 2>&1
    printf '%s\n' "\${COMPREPLY[@]}" | sort -u | paste -sd ' '
done
END

# completed LINE...: what bash would offer behind each, a line for each.
completed() {
    on master bash /tmp/completed "$@"
}

for tool in bpsh bprsh bpcp bpstat bpctl bptop bprun masterd slaved bplab; do
    ok "there is a file for $tool" test -e "$BPLAB_STAGE$completions/$tool"
done

# Nodes.
on master sh -c "echo 'nodegroup @back 1-2' >>/etc/bproc/config
    kill -HUP \$(cat /run/bproc/masterd.pid)"
group_is_there() {
    [[ $(completed 'bpstat @') == back ]]
}
ok "groups" wait_for 20 group_is_there
is "nodes, and what begins like them" "$(completed 'bpsh n')" \
    "n0 n1 n2 notboot notdown noterror notunavailable notup"
is "by their numbers" "$(completed 'bpsh 0' 'bpstat 1')" $'0\n1'
is "states" "$(completed 'bpstat all' 'bpstat do')" \
    $'all allboot alldown allerror allunavailable allup\ndown'
is "several" "$(completed 'bpstat n0,n1,n2,m' 'bpstat n0,!n2')" $'n0,n1,n2,master\nn0,!n2'
is "another argument" "$(completed 'bpstat -l 0 n1')" n1
is "what an option takes" "$(completed 'bptop -w n2' 'bpsh -w n1' 'bpctl -S all' 'bpctl --slave up')" \
    $'n2\nn1\nall allboot alldown allerror allunavailable allup\nup'
is "nothing without a daemon" \
    "$(on master env BPROC_SOCKET=/nowhere bash /tmp/completed 'bpsh n' 'bpstat 0')" ""

# Options.
is "options" "$(completed 'bpstat --n' 'bpsh --dry' 'bpctl --sl' 'bptop --it')" \
    $'--node-of --nodeset --number\n--dry-run\n--slave\n--iterations'
is "behind the nodes" "$(completed 'bpsh 0 --dry')" "--dry-run"
is "not behind the command" "$(completed 'bpsh 0 ls --dry')" ""
for tool in bpsh bpstat bptop bpctl; do
    is "$tool: all that --help tells" "$(completed "$tool --" | tr ' ' '\n')" \
        "$(on master "$tool" --help | grep -E '^ +-' | cut -c1-30 | grep -oE -- '--[a-z-]+' | sort -u)"
done
is "their words" "$(completed 'bpstat --color a' 'bptop -o c' 'bpctl -S 0 -s re' 'bptop -u nobo')" \
    $'always auto\ncommand cpu\nreboot\nnobody'
is "behind an equals sign" "$(completed 'bpstat --hostfile=' 'bpstat --hostfile=h' 'bptop --sort=me')" \
    $'hydra ompi\nhydra\nmem'
is "nothing for a number" "$(completed 'bptop -d ' 'bprun -np ')" ""

is "of actions" "$(completed 'bpctl token create --' 'bpctl config show --' \
    'bpctl ca init --state /tmp/files/f')" \
    $'--host --node --ttl\n--json\n/tmp/files/folder'
is "of what runs elsewhere" "$(completed 'bprun --ex' 'bpmap --exclude n' 'mpprun -ex' \
    'beorun -map n0:n')" \
    $'--exclude\nn0 n1 n2 notboot notdown noterror notunavailable notup\n-exclude
n0 n1 n2 notboot notdown noterror notunavailable notup'
is "of the daemons and of labs" \
    "$(completed 'masterd --ch' 'slaved --jo' 'slaved --root /tmp/files/f' \
        'bplab sta' 'bplab h' 'bplab --mt')" \
    $'--check\n--join\n/tmp/files/folder\nstart status\nheal\n--mtu'

# Commands, files.
is "commands" "$(completed 'bpsh n0 maste' 'bpsh -a maste' 'bpsh -w 0,1 maste' 'bprsh n1 maste')" \
    $'masterd\nmasterd\nmasterd\nmasterd'
is "files" "$(completed 'bpsh 0 ls /tmp/files/f' 'bpsh 0 /tmp/files/fi' 'bpsh -O /tmp/files/fi')" \
    $'/tmp/files/file /tmp/files/folder\n/tmp/files/file\n/tmp/files/file'
is "folders" "$(completed 'bpsh --outdir /tmp/files/f')" /tmp/files/folder
is "hosts" "$(completed 'bprsh n' 'bpstat -A mast')" $'n0 n1 n2\nmaster'
is "actions" "$(completed 'bpctl c' 'bpctl token c' 'bpctl config ')" $'ca config\ncreate\ncheck show'
is "a configuration" "$(completed 'bpctl config check /tmp/files/fi')" /tmp/files/file
on n1 sh -c 'mkdir -p /srv/there; touch /srv/their'
is "files of nodes" "$(completed 'bpcp /tmp/files/fi' 'bpcp n1' 'bpcp n1:/srv/the')" \
    $'/tmp/files/file\nn1:\n/srv/their /srv/there/'

is "several nodes" "$(completed 'bpcp all')" \
    "all: allboot: alldown: allerror: allunavailable: allup:"
on n1 touch '/srv/odd $(x);' && on master touch '/tmp/files/odd $(x);'
is "names that mean something to a shell are quoted" \
    "$(completed 'bpcp n1:/srv/od' 'bpcp /tmp/files/od')" \
    '/srv/odd\ \$\(x\)\;
/tmp/files/odd\ \$\(x\)\;'

# In a shell.
shell() {
    printf '%b' "$1" | script -qec "$lab -c $LAB exec master -- bash --norc --noprofile -i" /dev/null |
        tr -d '\r'
}
like "a shell completes an option, and runs it" \
    "$(shell ". $completions/bpstat\nbpstat --tot\t alld\t\nexit\n")" $'l0\n'
like "and the rest of a list" "$(shell ". $completions/bpstat\nbpstat --total 0,mas\t\nexit\n")" $'l2\n'
if [[ -e /usr/share/bash-completion/bash_completion ]]; then
    like "bash-completion finds the files by itself" "$(on master env XDG_DATA_DIRS="$BPROC_PREFIX/share" \
        bash -c '. /usr/share/bash-completion/bash_completion; _completion_loader bptop
        complete -p bptop')" "-F _bproc bptop"
else
    skip "bash-completion finds the files by itself" "needs bash-completion"
fi
done_testing
