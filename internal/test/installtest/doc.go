// Package installtest installs the Debian package in a fresh root, and runs it
// there under a real systemd, against a local Slack and simulated hosts.
package installtest
