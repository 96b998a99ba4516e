package labtest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
)

// Env is the environment variable that names the lab's ssh_config file.
const Env = "DHBOT_LAB"

// Host is one machine of the lab.
type Host struct {
	Address    string // host:port
	Login      string // the SSH user
	KeyFile    string // path of the private key
	KnownHosts string // path of the known_hosts file
}

// Hosts returns the machines of the lab. A key is the name of a Host block. It skips the test if
// DHBOT_LAB is unset, and fails the test if the file is unusable.
func Hosts(t testing.TB) map[string]Host {
	t.Helper()
	path := os.Getenv(Env)
	if path == "" {
		t.Skipf("%s is unset: no lab to test against", Env)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatalf("%s: %v", Env, err)
	}
	defer f.Close()
	hosts, err := parse(f)
	if err != nil {
		t.Fatalf("%s: %s: %v", Env, path, err)
	}
	return hosts
}

// parse reads the keywords that labtest needs from an ssh_config file. It ignores keywords that
// only ssh needs, and refuses patterns and Match, which it does not implement.
func parse(r io.Reader) (map[string]Host, error) {
	hosts := make(map[string]Host)
	var name, port string
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		keyword, value, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		value = strings.Trim(strings.TrimSpace(value), `"`)
		keyword = strings.ToLower(keyword)
		switch {
		case keyword == "host" && !strings.ContainsAny(value, " *?!"):
			name, port = value, "22"
			hosts[name] = Host{}
			continue
		case keyword == "host" || keyword == "match":
			return nil, fmt.Errorf("%q is not supported: write Host blocks with one plain name each", lines.Text())
		case name == "":
			continue
		}
		h := hosts[name]
		switch keyword {
		case "hostname":
			h.Address = net.JoinHostPort(value, port)
		case "port":
			port = value
			if host, _, err := net.SplitHostPort(h.Address); err == nil {
				h.Address = net.JoinHostPort(host, port)
			}
		case "user":
			h.Login = value
		case "identityfile":
			h.KeyFile = value
		case "userknownhostsfile":
			h.KnownHosts = value
		}
		hosts[name] = h
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	return hosts, complete(hosts)
}

// complete checks that every host has all values that a connection needs.
func complete(hosts map[string]Host) error {
	if len(hosts) == 0 {
		return fmt.Errorf("the file has no Host block")
	}
	for name, h := range hosts {
		if h.Address == "" || h.Login == "" || h.KeyFile == "" || h.KnownHosts == "" {
			return fmt.Errorf("host %s needs HostName, User, IdentityFile and UserKnownHostsFile", name)
		}
	}
	return nil
}
