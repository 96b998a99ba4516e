// Package installtest installs the Debian package in a fresh root directory. It runs the package
// there under a real systemd, with a local Slack and simulated hosts.
package installtest
