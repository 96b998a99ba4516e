#!/bin/sh
# After the files are there: the account, and what only it and root may read.
set -e
if command -v systemd-sysusers >/dev/null; then
	systemd-sysusers dhbot.conf
elif ! getent passwd dhbot >/dev/null; then
	useradd --system --user-group --home-dir /var/lib/dhbot --shell /usr/sbin/nologin dhbot
fi
chgrp dhbot /etc/dhbot
chmod 0750 /etc/dhbot
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
	# An upgrade goes on with the new binary; a first installation waits for its config.
	systemctl try-restart dhbot.service || true
fi
