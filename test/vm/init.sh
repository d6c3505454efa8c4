#!/bin/busybox sh
# The first process of a virtual machine, from its initial RAM disk. The machine's root is this machine's own, shared read-only,
# under a layer of its own: on its disk, which survives a reboot, or in memory where it has none. Parameters of the kernel that
# the kernel does not know are variables here.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
load() { while read -r module; do insmod "$module" || echo "no $module"; done <"$1"; }
load /modules
mkdir -p /host /own /new
mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=512000,cache=loose host /host
if [ -b /dev/vda ]; then
  load /modules.disk
  mount -t ext4 /dev/vda /own
else
  mount -t tmpfs -o size=75% own /own
fi
mkdir -p /own/upper /own/work /own/lib /own/log
if [ -n "$KN_SEED" ] && [ ! -e /own/seeded ]; then cp -a "/host$KN_SEED/." /own/ && touch /own/seeded; fi
mount -t overlay -o lowerdir=/host,upperdir=/own/upper,workdir=/own/work root /new

mount -t tmpfs -o mode=755 run /new/run
mount -t tmpfs -o mode=1777 tmp /new/tmp
mkdir -p /new/run/lock /new/run/karmada-net/host /new/run/karmada-net/bin /new/lib/modules
mount --bind /own/lib /new/var/lib
mount --bind /own/log /new/var/log
# The units that this machine has set up are not the virtual machine's.
if [ -d /own/systemd ]; then mount --bind /own/systemd /new/etc/systemd/system; fi
mount --bind /host /new/run/karmada-net/host
[ -z "$KN_BIN" ] || mount --bind "/host$KN_BIN" /new/run/karmada-net/bin
ln -sfn "/run/karmada-net/host$KN_MODULES" "/new/lib/modules/$(uname -r)"
cp /agent /plain.sh /new/run/karmada-net/

ip link set lo up
if [ -n "$KN_ADDRESS" ]; then
  ip addr add "$KN_ADDRESS" dev eth0
  ip link set eth0 up
  ip route add default via "$KN_GATEWAY"
fi
hostname "$KN_NAME"
for mount in proc sys dev; do mount --move /$mount /new/$mount; done
exec switch_root /new $KN_INIT
