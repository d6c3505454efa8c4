#!/bin/sh
# Puts the virtual IP of the API servers back as this node had it last: before kubelet starts, without asking anybody.
#   restore [--keep]
# --keep: and looks after its rules from then on.
programs=/opt/karmada-net/vip
state=/var/lib/karmada-net/vip

# The agent's image brought programs with their own loader and libraries, as the host may have none that fit; a node that was made by
# hand has its host's.
run() {
  program=$1
  shift
  for loader in "$programs"/lib/ld-linux*; do
    [ -x "$loader" ] || break
    "$loader" --library-path "$programs/lib" "$programs/bin/$program" "$@"
    return
  done
  "$program" "$@"
}

is_there() {
  read -r _ kind service _ <"$state/rules"
  run ipvsadm -Ln "$kind" "$service" >/dev/null 2>&1
}

# A kube-proxy in mode nftables empties the table when it starts, a while after this. Without the way kubelet gets no agent to notice.
keep() {
  while sleep 1 && [ -s "$state/rules" ]; do
    is_there && continue
    # An agent is quicker.
    sleep 1
    [ ! -s "$state/rules" ] || is_there || run ipvsadm -R <"$state/rules"
  done
}

# The node has never had it, or not any more.
[ -s "$state/rules" ] || exit 0
failed=0

# What is built in cannot be loaded, and the first use of IPVS loads the rest.
while read -r module; do
  modprobe -q "$module" 2>/dev/null
done <"$programs/modules"

while IFS=' =' read -r name value; do
  [ "$(cat "/proc/sys/$name" 2>/dev/null)" = "$value" ] || echo "$value" >"/proc/sys/$name" || failed=1
done <"$programs/sysctls"

# Started by hand it finds the rules there, newer than the file.
is_there || run ipvsadm -R <"$state/rules" || failed=1
if [ "${1:-}" = --keep ]; then keep 2>/dev/null & fi

# Its source is an address of the node, which may come late.
tries=0
until run ip -batch "$state/route"; do
  tries=$((tries + 1))
  [ "$tries" -lt 60 ] || exit 1
  sleep 1
done
exit "$failed"
