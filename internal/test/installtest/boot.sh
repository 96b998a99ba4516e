#!/bin/bash
# Boots a Debian root under systemd, in separate namespaces and on an overlay, so that
# the root is not changed. The network is this machine's.
#
#   boot.sh ROOT WORKDIR     runs until it is killed
set -eu
root=$1 work=$2
if [ -z "${3:-}" ]; then
  cgroups=/sys/fs/cgroup
  [ -e $cgroups/cgroup.procs ] || cgroups=/sys/fs/cgroup/unified
  mkdir -p "$cgroups/dhbot-install"
  echo $$ >"$cgroups/dhbot-install/cgroup.procs"
  exec unshare --fork --kill-child=SIGKILL --pid --mount --uts --ipc --cgroup --propagation private bash "$0" "$root" "$work" inside
fi
mkdir -p "$work/upper" "$work/work" "$work/root"
mount -t overlay overlay -o "lowerdir=$root,upperdir=$work/upper,workdir=$work/work" "$work/root"
cd "$work/root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
for n in null zero full random urandom tty; do touch "dev/$n" && mount --bind "/dev/$n" "dev/$n"; done
ln -s /proc/self/fd dev/fd
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mkdir run/.old
pivot_root . run/.old
cd /
umount -l /run/.old
rmdir /run/.old
# As systemd itself does where it is no container: credentials are mounted by a child.
mount --make-rshared /
exec env -i container=dhbot-install PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb /lib/systemd/systemd --log-target=journal --show-status=0
