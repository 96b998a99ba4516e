// Package fleet describes the machines: clusters, hosts, the processes of each host, and when
// they should be up. It imports none of our packages.
package fleet
