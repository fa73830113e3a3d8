# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# An sshd on each node and clients' configurations for it, as quick as their manuals allow.

# One key type, one key exchange, the cipher that the processor does by itself; nothing is looked
# up. A control socket's path has to be short.
ssh_config_write() {
    local folder=$work/ssh
    mkdir "$folder" &&
        ssh-keygen -q -t ed25519 -N '' -C '' -f "$folder/host" &&
        ssh-keygen -q -t ed25519 -N '' -C '' -f "$folder/user" || return
    cat >"$folder/sshd_config" <<END
AddressFamily inet
HostKey $folder/host
AuthorizedKeysFile $folder/user.pub
AuthenticationMethods publickey
StrictModes no
UsePAM no
UseDNS no
PrintMotd no
PrintLastLog no
X11Forwarding no
Compression no
KexAlgorithms curve25519-sha256
Ciphers aes128-gcm@openssh.com
LogLevel ERROR
MaxStartups 200
MaxSessions 200
PidFile none
Subsystem sftp internal-sftp
END
    sed 's/^/* /' "$folder/host.pub" >"$folder/known_hosts"
    cat >"$folder/fresh" <<END
AddressFamily inet
User root
IdentityFile $folder/user
IdentitiesOnly yes
UserKnownHostsFile $folder/known_hosts
GlobalKnownHostsFile none
StrictHostKeyChecking yes
CheckHostIP no
UpdateHostKeys no
BatchMode yes
PreferredAuthentications publickey
GSSAPIAuthentication no
KexAlgorithms curve25519-sha256
Ciphers aes128-gcm@openssh.com
Compression no
LogLevel ERROR
END
    {
        cat "$folder/fresh"
        echo "ControlMaster auto"
        echo "ControlPath /run/ssh-%h"
        echo "ControlPersist yes"
    } >"$folder/shared"
}

# The plainest shell, and an account that takes a key.
sshd_start() {
    # shellcheck disable=SC2016
    on "$1" sh -c '
        mkdir -p -m 755 /run/sshd &&
        sed -i "s|^\(root:.*:\)[^:]*$|\1/bin/sh|" /etc/passwd &&
        sed -i "s|^root:[^:]*:|root:*:|" /etc/shadow &&
        /usr/sbin/sshd -f "$1" >/dev/null 2>&1' sh "$work/ssh/sshd_config"
}

ssh_master_start() {
    # shellcheck disable=SC2016
    on master sh -c 'ssh -F "$1" -f -N "$2" >/dev/null 2>&1' sh "$work/ssh/shared" "$1"
}

peer_ssh_start() {
    local i
    [[ -d $work/ssh ]] || ssh_config_write || return
    for (( i = 0; i < nodes; i++ )); do
        sshd_start "n$i" && ssh_master_start "n$i" || return
    done
}
