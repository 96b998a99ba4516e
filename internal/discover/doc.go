// Package discover finds the processes of a host, for the config: it queries monit and systemd
// for the processes in the catalog, and looks for etcd's client files. It only reads.
//
// # Files
//
//   - discover.go: the queries of one host: monit, systemd, etcd's client files, sudo's
//     version
//   - hosts.go: several hosts, and how a host is given
//   - yaml.go: the text for the config
package discover
