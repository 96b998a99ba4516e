#!/bin/sh
# Runs before the files are removed. It does nothing for an upgrade, where $1 is
# "upgrade" (dpkg) or 1 (rpm).
set -e
case "$1" in
upgrade | 1) exit 0 ;;
esac
if [ -d /run/systemd/system ]; then
	systemctl disable --now dhbot.service || true
fi
