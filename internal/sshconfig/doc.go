// Package sshconfig reads the settings of ssh_config(5) for the route to a host. It runs no program
// and sends no network query: a keyword that needs one (ProxyCommand, Match exec, canonical names)
// is reported as a problem with its line.
package sshconfig
