#!/bin/sh
# Takes the virtual IP of the API servers off this node, which is as before then. On the node, as root:
#   sh uninstall.sh [--force]
set -eu
cd "$(dirname "$0")"
PATH=$PATH:/usr/sbin:/sbin
programs=/opt/karmada-net/vip
state=/var/lib/karmada-net/vip
unit=karmada-net-vip.service

fail() {
  echo "error: $1" >&2
  [ $# -lt 2 ] || echo "hint: $2" >&2
  exit 1
}

[ "$(id -u)" = 0 ] || fail 'only root can do this' 'sudo sh uninstall.sh'
rules=$state/rules
[ -s "$rules" ] || rules=files$state/rules
read -r _ _ service _ <"$rules"
vip=${service%:*}
vip=${vip#[}
vip=${vip%]}
case $vip in *:*) family=-6 bits=128 ;; *) family=-4 bits=32 ;; esac

if [ "${1:-}" != --force ]; then
  [ ! -d "$programs/bin" ] || fail 'the agent of "vip up" keeps the virtual IP of this node, and would put it back' \
    'kubectl karmada-net vip down; where its cluster is no more: sh uninstall.sh --force'
  users=$(grep -lF "https://$service" /etc/kubernetes/*.conf /var/lib/kubelet/*kubeconfig* 2>/dev/null | tr '\n' ' ')
  [ -z "$users" ] || fail "still in use: $users" \
    "give them the address of an API server first; although they use it: sh uninstall.sh --force"
fi

has_server() { ipvsadm -Ln -t "$service" >/dev/null 2>&1; }
route() { ip "$family" route show table local "$vip"; }

# The next boot first, the memory of what was before last.
systemctl disable --quiet --now "$unit" 2>/dev/null || :
if has_server; then ipvsadm -D -t "$service"; fi
if [ -n "$(route)" ]; then ip "$family" route del local "$vip/$bits" dev lo; fi
# kube-proxy wants the same of them where it uses IPVS itself.
if [ -f "$state/sysctls-before" ] && [ ! -d /sys/class/net/kube-ipvs0 ]; then
  while IFS=' =' read -r name value; do echo "$value" >"/proc/sys/$name"; done <"$state/sysctls-before"
fi
rm -rf "/etc/systemd/system/multi-user.target.wants/$unit" "/etc/systemd/system/$unit" /etc/modules-load.d/karmada-net-vip.conf \
  /etc/sysctl.d/90-karmada-net-vip.conf "$programs" "$state"
rmdir /opt/karmada-net /var/lib/karmada-net 2>/dev/null || :
systemctl daemon-reload

if has_server; then fail "the virtual server $service is still there"; fi
[ -z "$(route)" ] || fail "the local route to $vip is still there"
echo "Nothing is left of $service."
