package main

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
)

// init asks for each value that no flag gave; an empty line ends a list.
func TestInitAsks(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	s := &setup{
		audit: "C0AUDIT", operators: []string{"anna=U01"},
		in:  bufio.NewReader(strings.NewReader("T0123\nC0INC\nben=U02\ncarl=U03\n\ninfra-1=10.0.0.5\n\ndhops\nid_ed25519\n")),
		out: &out,
	}
	if err := s.ask(); err != nil {
		t.Fatal(err)
	}
	if s.home != "T0123" || s.audit != "C0AUDIT" || s.channel != "C0INC" || s.user != "dhops" {
		t.Errorf("%+v", s)
	}
	for _, c := range []struct{ got, want []string }{
		{s.operators, []string{"anna=U01"}},
		{s.approvers, []string{"ben=U02", "carl=U03"}},
		{s.hosts, []string{"infra-1=10.0.0.5"}},
		{s.keys, []string{"id_ed25519"}},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	if strings.Contains(out.String(), "audit") || strings.Contains(out.String(), "may request actions") {
		t.Errorf("a question for a value that a flag gave: %s", &out)
	}
}

// Without a terminal, or when its input ends, init names all missing values at once.
func TestInitNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	for _, in := range []*bufio.Reader{nil, bufio.NewReader(strings.NewReader(""))} {
		s := &setup{home: "T0123", hosts: []string{"infra-1=10.0.0.5"}, in: in, out: io.Discard}
		err := s.ask()
		if err == nil || exitCode(err) != exitMisuse {
			t.Fatalf("error %v", err)
		}
		for _, flag := range []string{"--audit-channel", "--channel", "--operator", "--approver", "--user", "--key"} {
			if !strings.Contains(err.Error(), flag) {
				t.Errorf("%s is not named: %v", flag, err)
			}
		}
		if strings.Contains(err.Error(), "--home") || strings.Contains(err.Error(), "--host,") {
			t.Errorf("a given value is named as missing: %v", err)
		}
	}
}

// Files that root writes get the group of their directory.
func TestInitGivesTheGroup(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file another group")
	}
	const group = 4242
	s := &setup{dir: t.TempDir()}
	if err := os.Chown(s.dir, -1, group); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(s.dir, "config.yaml")
	if err := s.write(file, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if owner := info.Sys().(*syscall.Stat_t); owner.Gid != group || owner.Uid != 0 {
		t.Errorf("%+v", owner)
	}
}

// Host keys are never collected around a jump host.
func TestInitBehindAJumpHost(t *testing.T) {
	t.Parallel()
	s := &setup{dir: t.TempDir(), hosts: []string{"infra-1=127.0.0.1:1"}, out: io.Discard}
	s.jump = "dhops@bastion"
	if err := s.trust(t.Context()); err == nil || exitCode(err) != exitMisuse || !strings.Contains(err.Error(), "--known-hosts") {
		t.Errorf("%v", err)
	}
}
