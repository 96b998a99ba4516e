#!/bin/sh
# Before the files go, and not for an upgrade ($1 is "upgrade" for dpkg, 1 for rpm).
set -e
case "$1" in
upgrade | 1) exit 0 ;;
esac
if [ -d /run/systemd/system ]; then
	systemctl disable --now dhbot.service || true
fi
