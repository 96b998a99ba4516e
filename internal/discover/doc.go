// Package discover finds the processes of a host, for the config: it queries monit and systemd
// for the processes in the catalog, and looks for etcd's client files. It only reads.
package discover
