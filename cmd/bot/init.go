package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/template"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"dhbot/internal/discover"
	"dhbot/internal/sshexec/hostkey"
)

// setup is the input of `bot init`.
type setup struct {
	reach
	dir, stateDir        string
	home, audit, channel string
	operators, approvers []string // NAME=MEMBER_ID
	hosts, fingerprints  []string

	in  *bufio.Reader // nil without a terminal
	out io.Writer
}

func initCommand() *cobra.Command {
	s := &setup{}
	cmd := &cobra.Command{
		Use: "init", Short: "Write a config: ask what only you know, and discover the rest", Args: argCheck(cobra.NoArgs),
		Long: "Write a config. The command takes what only you know from flags, or asks for it. Then it\n" +
			"discovers the processes of the hosts, writes config.yaml, prints what to install on each\n" +
			"host, and runs `check --live`.\n\nIt collects host keys for you to compare, and trusts no key on its own: confirm\n" +
			"fingerprints with --fingerprint, or provide a known_hosts file. With --proxy-jump, only a\n" +
			"known_hosts file is possible.\n\n" +
			"Slack's tokens come from SLACK_APP_TOKEN and SLACK_BOT_TOKEN, or from files that\nSLACK_APP_TOKEN_FILE and SLACK_BOT_TOKEN_FILE name.",
		Example: "  bot init --home T0123 --audit-channel C0AUDIT --channel C0INC --operator anna=U01 --approver ben=U02 \\\n" +
			"    --user dhops --key id_ed25519 --host infra-1=10.0.0.5 --host query-1=10.0.0.6",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s.out = cmd.OutOrStdout()
			if f, ok := cmd.InOrStdin().(*os.File); ok && term.IsTerminal(int(f.Fd())) {
				s.in = bufio.NewReader(f)
			}
			return s.run(cmd)
		},
	}
	s.flags(cmd)
	cmd.Flags().StringVar(&s.dir, "dir", ".", "the `directory` for config.yaml and known_hosts")
	cmd.Flags().StringVar(&s.stateDir, "state-dir", "/var/lib/dhbot", "the `directory` for the bot's state")
	cmd.Flags().StringVar(&s.home, "home", "", "your Slack team's or organisation's `id` (T… or E…)")
	cmd.Flags().StringVar(&s.audit, "audit-channel", "", "the `id` of the channel for the audit trail (C…)")
	cmd.Flags().StringVar(&s.channel, "channel", "", "the `id` of the channel for commands and incidents (C…)")
	cmd.Flags().StringArrayVar(&s.operators, "operator", nil, "a person who may request actions, as `NAME=MEMBER_ID`; may be given several times")
	cmd.Flags().StringArrayVar(&s.approvers, "approver", nil, "a person who may approve, as `NAME=MEMBER_ID`; may be given several times")
	cmd.Flags().StringArrayVar(&s.hosts, "host", nil, "a host, as `NAME=ADDRESS`; may be given several times")
	cmd.Flags().StringArrayVar(&s.fingerprints, "fingerprint", nil, "a host key `fingerprint` that you have compared; may be given several times")
	return cmd
}

func (s *setup) run(cmd *cobra.Command) error {
	file := filepath.Join(s.dir, "config.yaml")
	if fileExists(file) {
		return fmt.Errorf("%s exists: name another directory with --dir, or move the file", file)
	}
	if err := s.ask(); err != nil {
		return err
	}
	if err := s.trust(cmd.Context()); err != nil {
		return err
	}
	found, err := s.discover(cmd.Context(), s.hosts)
	if err != nil {
		return err
	}
	text, err := s.config(found)
	if err != nil {
		return err
	}
	if err := s.write(file, text, 0o640); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s is written.\n\n", file)
	s.explain(file, found)
	cfg, err := loadConfig(file)
	if err != nil {
		return err
	}
	return checkLive(cmd, cfg)
}

// ask asks for values that no flag set.
func (s *setup) ask() error {
	var missing []string
	text := func(flag, question string, to *string) {
		if *to == "" {
			*to = s.line(question)
		}
		if *to == "" {
			missing = append(missing, flag)
		}
	}
	list := func(flag, question string, to *[]string) {
		for len(*to) == 0 || s.in != nil && (*to)[len(*to)-1] != "" && flag != "--key" {
			*to = append(*to, s.line(question))
			if (*to)[len(*to)-1] == "" {
				break
			}
		}
		*to = slices.DeleteFunc(*to, func(v string) bool { return v == "" })
		if len(*to) == 0 {
			missing = append(missing, flag)
		}
	}
	given := [][]string{s.operators, s.approvers, s.hosts}
	text("--home", "Your Slack team's or organisation's id (T… or E…): ", &s.home)
	text("--audit-channel", "The id of the channel for the audit trail (C…): ", &s.audit)
	text("--channel", "The id of the channel for commands and incidents (C…): ", &s.channel)
	for i, q := range []struct {
		flag, question string
		to             *[]string
	}{
		{"--operator", "A person who may request actions, NAME=MEMBER_ID, for example anna=U0123 (empty to finish): ", &s.operators},
		{"--approver", "A person who may approve, NAME=MEMBER_ID, for example anna=U0123 (empty to finish): ", &s.approvers},
		{"--host", "A host, NAME=ADDRESS (empty to finish): ", &s.hosts},
	} {
		if len(given[i]) == 0 {
			list(q.flag, q.question, q.to)
		}
	}
	text("--user", "The account on the hosts: ", &s.user)
	list("--key", "The private key file for this account: ", &s.keys)
	if len(missing) > 0 {
		return misuse{fmt.Errorf("missing: %s", strings.Join(missing, ", "))}
	}
	return nil
}

// line asks one question; it returns "" without a terminal.
func (s *setup) line(question string) string {
	if s.in == nil {
		return ""
	}
	fmt.Fprint(s.out, question)
	text, _ := s.in.ReadString('\n') // the end of input counts as an empty answer
	return strings.TrimSpace(text)
}

// scanTimeout limits reading one key of a host.
const scanTimeout = 10 * time.Second

// trust writes known_hosts from keys whose fingerprints a person has compared.
func (s *setup) trust(ctx context.Context) error {
	if s.known != "" {
		return nil
	}
	file := filepath.Join(s.dir, "known_hosts")
	if fileExists(file) {
		s.known = file
		return nil
	}
	if s.jump != "" {
		return misuse{errors.New("init cannot collect host keys through --proxy-jump: write the keys of the jump hosts and of the hosts, which you have compared, to a file, and name it with --known-hosts")}
	}
	var lines, unknown []string
	for _, text := range s.hosts {
		h := discover.ParseHost(text, s.user)
		keys, err := hostkey.Scan(ctx, h.Address, scanTimeout)
		if err != nil {
			return err
		}
		for _, k := range keys {
			if slices.Contains(s.fingerprints, k.Fingerprint) || s.line(fmt.Sprintf("%s shows %s key %s. Is this key correct? (yes/no): ", h.Name, k.Type, k.Fingerprint)) == "yes" {
				lines = append(lines, k.Line)
				continue
			}
			unknown = append(unknown, fmt.Sprintf("  %-12s %-22s %s", h.Name, k.Type, k.Fingerprint))
		}
	}
	if len(lines) == 0 || len(unknown) > 0 && s.in == nil && len(s.fingerprints) == 0 {
		return fmt.Errorf("no host key is trusted yet. Compare these fingerprints with those that each host prints itself (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub),\n"+
			"then repeat with --fingerprint for the correct ones:\n%s", strings.Join(unknown, "\n"))
	}
	s.known = file
	return s.write(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644)
}

// write writes a file below s.dir. If root writes it, it gets the group of the directory, so that
// the service's account can read it: the package makes this group the group of /etc/dhbot.
func (s *setup) write(file string, text []byte, mode os.FileMode) error {
	if err := os.WriteFile(file, text, mode); err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(s.dir)
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		return os.Chown(file, -1, int(owner.Gid))
	}
	return nil
}

type member struct{ Name, Account string }

// people returns the operators and the approvers, without duplicates.
func (s *setup) people() (list []member, err error) {
	for _, text := range append(slices.Clone(s.operators), s.approvers...) {
		name, id, ok := strings.Cut(text, "=")
		if !ok {
			return nil, misuse{fmt.Errorf("%q: write NAME=MEMBER_ID, for example anna=U0123", text)}
		}
		if m := (member{name, s.home + "/" + id}); !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	return list, nil
}

func names(list []string) string {
	var out []string
	for _, text := range list {
		name, _, _ := strings.Cut(text, "=")
		out = append(out, name)
	}
	return strings.Join(out, ", ")
}

var configTemplate = template.Must(template.New("config").Parse(`# Made by bot init. Every key: docs/config.md; bot check lists the problems.
slack:
  home: {{.Home}}
  audit_channel: {{.Audit}}
  channels: { {{- .Channel}}: {{.Cluster}}}
state: {dir: {{.StateDir}}}
ssh: {user: {{.User}}, key_file: [{{.Keys}}], known_hosts: {{.Known}}{{with .Jump}}, proxy_jump: {{.}}{{end}}}
people:
{{- range .People}}
  {{.Name}}: {slack: [{{.Account}}]}
{{- end}}
clusters:
  {{.Cluster}}:
    catalog: {{.Catalog}}
    roles: {readers: [channel {{.Channel}}], operators: [{{.Operators}}], approvers: [{{.Approvers}}]}
    watch: {channel: {{.Channel}}}
{{.Hosts}}`))

// config is the text of the config file.
func (s *setup) config(found []discover.Found) ([]byte, error) {
	people, err := s.people()
	if err != nil {
		return nil, err
	}
	var hosts, out bytes.Buffer
	if err := discover.WriteHosts(&hosts, found); err != nil {
		return nil, err
	}
	keys := make([]string, len(s.keys))
	for i, k := range append([]string{s.known}, s.keys...) {
		path, err := filepath.Abs(k)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			s.known = path
		} else {
			keys[i-1] = path
		}
	}
	err = configTemplate.Execute(&out, map[string]any{
		"Home": s.home, "Audit": s.audit, "Channel": s.channel, "Cluster": s.cluster, "Catalog": s.catalog, "StateDir": s.stateDir,
		"User": s.user, "Keys": strings.Join(keys, ", "), "Known": s.known, "Jump": s.jump, "People": people,
		"Operators": names(s.operators), "Approvers": names(s.approvers), "Hosts": hosts.String(),
	})
	return out.Bytes(), err
}

// explain prints what to install on each host.
func (s *setup) explain(file string, found []discover.Found) {
	fmt.Fprintf(s.out, "On each host, add this line to the authorized_keys of the account %s:\n\n  restrict %s\n\nand install the output of the command for this host as /etc/sudoers.d/dhbot:\n\n", s.user, publicKey(s.keys[0]))
	for _, f := range found {
		fmt.Fprintf(s.out, "  bot sudoers --config %s %s\n", file, f.Host.Name)
	}
	fmt.Fprintln(s.out)
}

// publicKey returns the public half of a key file. If there is none, it returns words that say how
// to get it.
func publicKey(file string) string {
	text, err := os.ReadFile(file + ".pub")
	if err != nil {
		return "(the output of ssh-keygen -y -f " + file + ")"
	}
	return strings.TrimSpace(string(text))
}
