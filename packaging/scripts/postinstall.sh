#!/bin/sh
# Runs after the files are installed: creates the account dhbot, and lets only dhbot and
# root read the config.
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
	# An upgrade restarts a running bot with the new binary. After a first installation
	# nothing starts.
	systemctl try-restart dhbot.service || true
fi
