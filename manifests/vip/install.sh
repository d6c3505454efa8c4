#!/bin/sh
# Gives this node the virtual IP of the API servers, now and at every boot before kubelet. On the node, as root:
#   sh install.sh
# Again: changes what differs. Written by kubectl karmada-net vip render; the same for every node.
set -eu
umask 022
cd "$(dirname "$0")"
PATH=$PATH:/usr/sbin:/sbin
programs=/opt/karmada-net/vip
state=/var/lib/karmada-net/vip
unit=karmada-net-vip.service
sysctls=files$programs/sysctls
rules=files$state/rules

fail() {
  echo "error: $1" >&2
  [ $# -lt 2 ] || echo "hint: $2" >&2
  exit 1
}

read -r _ _ service _ <"$rules"
vip=${service%:*}
vip=${vip#[}
vip=${vip%]}
case $vip in *:*) family=-6 bits=128 ;; *) family=-4 bits=32 ;; esac
servers=$(awk '$1 == "-a" { printf "%s%s", between, $5; between = " " }' "$rules")

# What stands in the way, before anything is changed.
another='render again with an address that nobody has, such as --vip 198.18.0.1'
[ "$(id -u)" = 0 ] || fail 'only root can do this' 'sudo sh install.sh'
[ -d /run/systemd/system ] || fail 'this node does not run systemd'
for program in ip ipvsadm; do
  command -v "$program" >/dev/null || fail "$program is not there" 'apt-get install ipvsadm iproute2, or: dnf install ipvsadm iproute'
done
[ ! -d "$programs/bin" ] || fail 'the agent of "vip up" keeps the virtual IP of this node: nothing is to be installed by hand' \
  'kubectl karmada-net vip status'
if [ -s "$state/rules" ]; then
  read -r _ _ before _ <"$state/rules"
  [ "$before" = "$service" ] || fail "this node has the virtual IP $before: it cannot move while it is used" 'sh uninstall.sh'
else
  if ipvsadm -Ln -t "$service" >/dev/null 2>&1; then
    fail "somebody else has a virtual server $service on this node: ipvsadm -Ln -t $service" "$another"
  fi
  found=$(ip "$family" -o address show to "$vip")
  [ -z "$found" ] || fail "$vip is an address of this node already: $found" "$another"
  found=$(ip "$family" route show match "$vip" | grep -v '^default' | grep 'proto kernel' || :)
  [ -z "$found" ] || fail "$vip lies in a network of this node, where it would answer for it: $found" "$another"
fi

while read -r module; do
  modprobe -q "$module" 2>/dev/null || :
done <"files$programs/modules"
# Its first use loads what modprobe may not.
ipvsadm -Ln >/dev/null 2>&1 || :
while IFS=' =' read -r name _; do
  [ -f "/proc/sys/$name" ] || fail "the kernel has no $name: IPVS (module ip_vs) is missing" \
    'modprobe ip_vs; its packages of kernel modules may have to be installed'
done <"$sysctls"

# The address that this node's own connections to API servers leave with.
source=$(for server in $servers; do
  host=${server%:*}
  host=${host#[}
  ip "$family" -o route get "${host%]}" 2>/dev/null | sed -n 's/.* src \([^ ]*\).*/\1/p'
done | head -n 1)
[ -n "$source" ] || fail "this node has no route to any of $servers" "ip $family route"

# Lines for `ipvsadm -R` that make the virtual server as wanted; none where it is. Nothing goes before what is wanted is there.
differences() {
  ipvsadm -Sn | awk -v service="$service" '
    NR == FNR && $1 == "-A" { wanted = $0 }
    NR == FNR && $1 == "-a" { servers[$5] = $0 }
    NR == FNR || $3 != service { next }
    $1 == "-A" { found = $0 }
    $1 == "-a" { there[$5] = $0 }
    END {
      if (found != wanted) print (found == "" ? "-A" : "-E") substr(wanted, 3)
      for (server in servers) if (there[server] != servers[server]) print (there[server] == "" ? "-a" : "-e") substr(servers[server], 3)
      for (server in there) if (there[server] != "" && !(server in servers)) print "-d -t " service " -r " server
    }' "$rules" -
}

# Everything of this node that is not a file.
seen() {
  differences
  ip "$family" -o route get "$vip" 2>&1 || :
  while IFS=' =' read -r name _; do cat "/proc/sys/$name"; done <"$sysctls"
  systemctl is-enabled "$unit" 2>&1 || :
  systemctl is-active "$unit" || :
}

written=
put() {
  [ "$(cat "$1" 2>/dev/null)" != "$2" ] || return 0
  mkdir -p "$(dirname "$1")"
  printf '%s\n' "$2" >"$1.new"
  chmod "${3:-0644}" "$1.new"
  mv "$1.new" "$1"
  echo "written: $1"
  written=yes
}

before=$(seen)
if [ ! -f "$state/sysctls-before" ]; then
  put "$state/sysctls-before" "$(while IFS=' =' read -r name _; do echo "$name = $(cat "/proc/sys/$name")"; done <"$sysctls")"
fi
for file in $(find files -type f | LC_ALL=C sort); do
  case $file in */restore) mode=0755 ;; *) mode=0644 ;; esac
  put "${file#files}" "$(cat "$file")" "$mode"
done
put "$state/route" "route replace local $vip/$bits dev lo src $source"

# What stands is led over; whatever is not there comes the same way as at a boot.
if ipvsadm -Ln -t "$service" >/dev/null 2>&1; then differences | ipvsadm -R || :; fi
systemctl daemon-reload
systemctl enable --quiet "$unit"
systemctl restart "$unit" || fail "$unit failed" "journalctl -u $unit -n 20 --no-pager"

left=$(differences)
[ -z "$left" ] || fail "the virtual server is not as wanted, ipvsadm would have to do: $left"
case $(ip "$family" -o route get "$vip" 2>&1) in
  local*" src $source "*) ;;
  *) fail "the local route to $vip is not there" "ip $family route get $vip" ;;
esac
while IFS=' =' read -r name value; do
  [ "$(cat "/proc/sys/$name")" = "$value" ] || fail "/proc/sys/$name is not $value"
done <"$sysctls"

[ ! -d /sys/class/net/kube-ipvs0 ] || echo "note: kube-proxy uses IPVS here: it removes $service unless its ipvs.excludeCIDRs name $vip/$bits"
if [ -z "$written" ] && [ "$(seen)" = "$before" ]; then
  echo "Nothing to do: $service leads to $servers, from $source."
else
  echo "$service leads to $servers, from $source. Each boot puts that back before kubelet."
fi
