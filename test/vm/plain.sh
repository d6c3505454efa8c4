#!/bin/sh
# The first process of a machine without services: it runs the agent, and collects what has lost its parent.
export PATH=/run/karmada-net/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mkdir -p /dev/pts /dev/shm /run/netns
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount --make-rshared /
while :; do /run/karmada-net/agent; done
