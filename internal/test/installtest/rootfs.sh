#!/bin/bash
# Makes the Debian root for the installation of packages: rootfs.sh DIR
set -eu
[ -e "$1/built" ] && exit
rm -rf "$1.part" && mkdir -p "$(dirname "$1")"
mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' | awk '$2=="bookworm"{print $1; exit}')
debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,procps bookworm "$1.part" "$mirror" >&2
for u in systemd-networkd.service systemd-resolved.service systemd-timesyncd.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer getty@tty1.service; do
  rm -f "$1.part"/etc/systemd/system/*.wants/"$u"
done
for u in getty.target console-getty.service systemd-udevd.service systemd-udevd-kernel.socket systemd-udevd-control.socket sys-kernel-debug.mount sys-kernel-tracing.mount dev-hugepages.mount dev-mqueue.mount; do
  ln -sf /dev/null "$1.part/etc/systemd/system/$u"
done
ln -sf /lib/systemd/system/multi-user.target "$1.part/etc/systemd/system/default.target"
touch "$1.part/built"
mv "$1.part" "$1"
