#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# How machines become nodes, and what keeps others from it.
. "${0%/*}/lib.sh"
need_tool openssl

lab_up 3 --no-daemons

# background NODE LOG CMD...: leaves CMD running there, its output in LOG.
background() {
    local node=$1 log=$2
    shift 2
    # shellcheck disable=SC2016
    on "$node" sh -c 'log=$1; shift; setsid "$@" >$log 2>&1 </dev/null &' sh "$log" "$@"
}

master_log() {
    on master cat /run/masterd.log
}

# logged REGEX: within a moment masterd has such a line in its log.
logged() {
    wait_for 20 on master grep -qE "$1" /run/masterd.log
}

# client OPTION...: how openssl's own client fares with masterd, from n2.
client() {
    on n2 sh -c 'timeout 20 openssl s_client -connect master:2223 "$@" </dev/null 2>&1' sh "$@"
}

token() {
    on master bpctl token create "$@"
}

state_of() {
    on master bpstat -s "$1"
}

# joins NODE COMMAND...: slaved there succeeds with the command that bpctl printed.
joins() {
    local node=$1
    shift
    background "$node" /run/slaved.log slaved -d "${@:2}"
    wait_for 20 sh -c \
        "[ \"\$($BPROC_BUILD/lab/bplab -c $LAB exec master bpstat -s ${node#n})\" = up ]"
}

ends() {
    on "$1" sh -c 'kill $(cat /run/bproc/slaved.pid)'
    wait_for 20 sh -c \
        "[ \"\$($BPROC_BUILD/lab/bplab -c $LAB exec master bpstat -s ${1#n})\" = down ]" &&
        wait_for 20 on "$1" sh -c '! pgrep -x slaved'
}

# The authority.
exits 1 "without an authority masterd does not start" on master masterd -d
like "and says how to make one" "$(cat "$TMP/out")" "bpctl ca init"
ok "bpctl ca init" on master bpctl ca init
like "prints the hash" "$(cat "$TMP/out")" "sha256:[0-9a-f]{64}$"
hash=$(grep -o 'sha256:.*' "$TMP/out")
before=$(on master sh -c 'cat /var/lib/bproc/ca/* /var/lib/bproc/tls/* | sha256sum')
exits 1 "a second time it fails" on master bpctl ca init
like "as there is one" "$(cat "$TMP/out")" \
    "cannot make a certificate authority: there is one in /var/lib/bproc"
is "and nothing is touched" \
    "$(on master sh -c 'cat /var/lib/bproc/ca/* /var/lib/bproc/tls/* | sha256sum')" "$before"
is "the keys are for root alone" \
    "$(on master stat -c %a:%U /var/lib/bproc/ca/key.pem /var/lib/bproc/tls/key.pem)" \
    $'600:root\n600:root'
is "and so are their folders" \
    "$(on master stat -c %a /var/lib/bproc /var/lib/bproc/ca /var/lib/bproc/tls)" \
    $'700\n700\n700'
ok "--state makes another" on master bpctl ca init --state /tmp/other
other=$(grep -o 'sha256:.*' "$TMP/out")

exits 1 "no token without masterd" token
like "as it does not run" "$(cat "$TMP/out")" "BProc is not running here"
background master /run/masterd.log masterd -d
wait_for 20 on master bpstat || bail "masterd does not start: $(master_log)"
exits 1 "no token for somebody else" bplab exec -u nobody master bpctl token create
like "who is told why" "$(cat "$TMP/out")" "only root may"
exits 1 "no token for a node that is none" token --node 7
exits 1 "no token that never was good" token --ttl 0
exits 1 "no token for a time that is none" token --ttl soon
exits 1 "no token create without create" on master bpctl token
is "--host is taken over" "$(token --host m.example | cut -d ' ' -f 3)" m.example:2223
exits 1 "what is no host name" on master bpctl token create --host 'a b'
is "is told" "$(cat "$TMP/out")" "bpctl: 'a b' is no host name or address"
exits 1 "to slaved, too" on n0 slaved --join 'a b:2223' --token x --ca-hash sha256:x
like "is told" "$(cat "$TMP/out")" "^slaved: cannot join a b:2223: not of the form HOST:PORT"
exits 1 "nor behind its options" on n0 slaved -d 10.0.0.256
like "is told" "$(cat "$TMP/out")" "^slaved: cannot use master 10.0.0.256: it is no host name"
read -ra command <<<"$(token --node 0)"
like "the command for the node" "${command[*]}" \
    "^slaved --join 10.77.0.1:2223 --token [0-9a-f]+ --ca-hash $hash$"

# What does not become a node.
exits 1 "a wrong hash" on n0 timeout 20 slaved -d "${command[@]:1:4}" --ca-hash "$other"
like "is told" "$(cat "$TMP/out")" "its authority has another hash than the one given"
fails "and leaves no certificate" on n0 test -e /var/lib/bproc/tls/cert.pem
exits 1 "a hash that is none" on n0 timeout 20 slaved -d "${command[@]:1:4}" --ca-hash sha256:abc
exits 1 "half of what a join needs" on n0 timeout 20 slaved -d "${command[@]:1:4}"
exits 1 "a token that nobody made" on n0 timeout 20 slaved -d "${command[@]:1:2}" --token \
    0123456789abcdef --ca-hash "$hash"
like "is told" "$(cat "$TMP/out")" "the master refuses: unknown token"
ok "and is in the master's log, with the address" logged \
    "refused to let 10.77.1.1 join: unknown token"
long=$(printf 'x%.0s' {1..5000})
exits 1 "a token of 5000 bytes" on n0 timeout 20 slaved -d "${command[@]:1:2}" --token "$long" \
    --ca-hash "$hash"
exits 1 "an empty token" on n0 timeout 20 slaved -d "${command[@]:1:2}" --token "" --ca-hash "$hash"
exits 1 "a port where nobody listens" on n0 timeout 20 slaved -d --join 10.77.0.1:9 \
    "${command[@]:3}"
like "is told" "$(cat "$TMP/out")" "Connection refused"
exits 1 "no certificate and no token" on n0 timeout 20 slaved -d 10.77.0.1
like "is told" "$(cat "$TMP/out")" "key.pem: No such file or directory .*bpctl token create"
read -ra brief <<<"$(token --node 0 --ttl 1s)"
sleep 2.1
exits 1 "an expired token" on n0 timeout 20 slaved -d "${brief[@]:1}"
like "is told" "$(cat "$TMP/out")" "the master refuses: the token has expired"
ok "and is in the master's log" logged "refused to let 10.77.1.1 join: the token has expired"

# What does.
ok "the right token still is good for a node" joins n0 "${command[@]}"
ok "which runs commands" on master bpsh 0 true
is "its key is for root alone" "$(on n0 stat -c %a:%U /var/lib/bproc/tls/key.pem)" 600:root
is "and its folder too" "$(on n0 stat -c %a /var/lib/bproc/tls)" 700
fails "no key is left half made" on n0 test -e /var/lib/bproc/tls/key.pem.new
fails "no key of it is on the master" on master grep -rqF \
    "$(on n0 sed -n 3p /var/lib/bproc/tls/key.pem)" /var/lib/bproc
like "the certificate names its number" \
    "$(on n0 openssl x509 -in /var/lib/bproc/tls/cert.pem -noout -subject)" \
    "CN ?= ?node-0$"
is "the address of the master is remembered" "$(on n0 cat /var/lib/bproc/master)" 10.77.0.1:2223
exits 1 "the token is good for one machine" on n1 timeout 20 slaved -d "${command[@]:1}"
like "the next is told" "$(cat "$TMP/out")" "the master refuses: the token was used already"
ok "and is in the master's log" logged "refused to let 10.77.1.2 join: the token was used already"
read -ra command <<<"$(token)"
ok "a token without a number" joins n1 "${command[@]}"
is "gives that of the address" "$(on master bpstat -A 10.77.1.2)" 1
ok "the node stops" ends n0
background n0 /run/slaved.log slaved -d
ok "and comes back with its certificate alone" wait_for 20 on master bpsh 0 true

# Certificates of others.
on n0 tar -C /var/lib/bproc -c tls master | on n2 tar -C /var/lib/bproc -x
background n2 /run/slaved.log slaved -d
ok "node 0's certificate on node 2 is refused" logged \
    "refused 10.77.1.3: the configuration gives node 0 another address"
ok "and slaved there says why" wait_for 20 on n2 grep -q "another address" /run/slaved.log
is "node 0 is not disturbed" "$(state_of 0)" up
ends n2
on n2 rm -r /var/lib/bproc/tls /var/lib/bproc/master
cat >"$TMP/foreign" <<'END'
cd /tmp && openssl ecparam -name prime256v1 -genkey -noout -out fca.key &&
openssl req -x509 -new -key fca.key -subj '/CN=bproc' -days 2 -out fca.pem &&
openssl ecparam -name prime256v1 -genkey -noout -out f.key &&
openssl req -new -key f.key -subj "$1" -out f.csr &&
openssl x509 -req -in f.csr -CA fca.pem -CAkey fca.key -set_serial 7 -days 2 -out f.pem
END
subject=$(on n0 openssl x509 -in /var/lib/bproc/tls/cert.pem -noout -subject -nameopt RFC2253)
on n2 sh -c "$(cat "$TMP/foreign")" sh "/${subject#subject=}" >"$TMP/out" 2>&1 || diag \
    "$(cat "$TMP/out")"
client -tls1_3 -cert /tmp/f.pem -key /tmp/f.key >/dev/null
ok "a certificate of a foreign authority is refused" \
    logged "10.77.1.3 did not become a node's link: peer's certificate is refused: unable to get"
on n2 mkdir -p /var/lib/bproc/tls
on n2 sh -c \
    'cd /tmp && cp -t /var/lib/bproc/tls f.key f.pem fca.pem && cd /var/lib/bproc/tls &&
    mv f.key key.pem && mv f.pem cert.pem && mv fca.pem ca.pem'
background n2 /run/slaved.log slaved -d 10.77.0.1
ok "slaved does not trust a foreign master" wait_for 20 on n2 grep -q \
    "peer.s certificate is refused: self-signed" /run/slaved.log
ends n2
on n2 rm -r /var/lib/bproc/tls
on master tar -C /var/lib/bproc -c tls | on n2 tar -C /tmp -x
client -tls1_3 -cert /tmp/tls/cert.pem -key /tmp/tls/key.pem >/dev/null
ok "the master's own certificate is none of a node" logged \
    "refused 10.77.1.3: its certificate names no node"
like "TLS 1.2 is refused" "$(client -tls1_2)" "alert protocol version"
ok "and is in the master's log" logged \
    "10.77.1.3 did not become a node's link: TLS: unsupported protocol"
like "TLS 1.3 is spoken" "$(client -tls1_3)" "New, TLSv1.3"
like "so is it on a node's data port" \
    "$(on n2 sh -c 'timeout 20 openssl s_client -tls1_2 -connect n0:2224 </dev/null 2>&1')" \
    "alert protocol version"
on n2 timeout 20 bash -c \
    'exec 3<>/dev/tcp/10.77.0.1/2223; echo "GET / HTTP/1.0" >&3; echo >&3; cat <&3' >/dev/null \
    2>&1
ok "what is no TLS is refused" logged \
    "10.77.1.3 did not become a node's link: TLS: (http request|wrong version number|packet length)"

# Joining anew.
on n0 tar -C /var/lib/bproc -c tls master | on n0 tar -C /tmp -x
ok "the node stops" ends n0
read -ra command <<<"$(token --node 0)"
ok "a node can join again" joins n0 "${command[@]}"
ok "it stops" ends n0
on n0 cp -r /tmp/tls /var/lib/bproc/
background n0 /run/slaved.log slaved -d
ok "its old certificate then is worth nothing" logged \
    "refused 10.77.1.1: node 0 has joined anew since"
is "it stays down" "$(state_of 0)" down
is "masterd has been the same all the time" "$(grep -c 'ready: release' <<<"$(master_log)")" 1
done_testing
