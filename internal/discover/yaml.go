package discover

import (
	"fmt"
	"io"
	"strings"
)

// WriteHosts writes the results as the hosts of a cluster in YAML, indented to fit below
// clusters.NAME. Services that are not in the catalog, and failed queries, become comments.
func WriteHosts(w io.Writer, found []Found) error {
	var b strings.Builder
	b.WriteString("    hosts:\n")
	for _, f := range found {
		h := f.Host
		fmt.Fprintf(&b, "      %s:\n        address: %q\n", h.Name, h.Address)
		fmt.Fprintf(&b, "        processes: [%s]\n", strings.Join(h.Processes, ", "))
		if len(h.Monit) > 0 {
			fmt.Fprintf(&b, "        monit: [%s]\n", strings.Join(h.Monit, ", "))
		}
		if f.SudoVersion != "" {
			fmt.Fprintf(&b, "        sudo_version: %q # older than 1.9.10: bot sudoers --wrapper prints the required script\n", f.SudoVersion)
		}
		if h.EtcdClientDir != "" {
			fmt.Fprintf(&b, "        etcd_client_dir: %s\n", h.EtcdClientDir)
		}
		for _, u := range f.Unknown {
			fmt.Fprintf(&b, "        # not in the catalog: %s\n", u)
		}
		for _, n := range f.Notes {
			fmt.Fprintf(&b, "        # %s\n", n)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
