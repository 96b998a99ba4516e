package hostsim

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// Login is the SSH user of every simulated host. It may run every command with sudo, without a
// password.
const Login = "dhops"

// Config selects what to simulate. Dir is required. All other fields have defaults.
type Config struct {
	Generation string     // Current (default) or Legacy
	Hosts      []HostSpec // default: DefaultLayout(Generation)
	// Dir is the directory for the files "id_ed25519" and "known_hosts", with which a client
	// connects. If it does not exist, it is created with mode 0700.
	Dir string
	// Cycle is the time between two of monit's checks; default 2 s.
	Cycle time.Duration
	// ProgramTimeout is monit's time-out for start and stop programs;
	// default 15 s.
	ProgramTimeout time.Duration
	// Pace scales the durations that were measured on real hosts, such as the 1 s in which a
	// process stops. It does not scale Cycle, ProgramTimeout and the durations of faults. With 0.1,
	// simulated hosts are ten times faster than real hosts. Default 1.
	Pace float64
	// Now is the clock of the hosts; default time.Now. The durations of
	// commands always use the real clock.
	Now func() time.Time
}

// Cluster is a running set of simulated hosts.
type Cluster struct {
	dir   string
	now   func() time.Time
	key   ssh.PublicKey // the only accepted client key
	hosts []*host

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.Mutex // guards the following fields and every machine
	world    *world
	executed []Execution
}

// Execution is one command that a host received.
type Execution struct {
	N     int    `json:"n"` // 1, 2, 3 … over all hosts, in the order in which the commands began
	Host  string `json:"host"`
	Login string `json:"login"`
	Line  string `json:"line"` // the exact bytes of the exec request, or of one of several commands in it
	// User is the user that ran the command: the target user of sudo, or else the login.
	User string `json:"user"`
	// Argv is the command without env, timeout and sudo. Its globs are expanded. It is empty if the
	// host refused the line.
	Argv []string  `json:"argv"`
	At   time.Time `json:"at"` // when the command began, by the hosts' clock
	// Exit is the exit code of the command, even if the client disconnected; -1 while the
	// command runs.
	Exit int `json:"exit"`
	// Changes reports whether the command changed the host or requested a change from monit
	// or systemd.
	Changes bool `json:"changes"`
}

// Start writes the key files and starts every host. The caller must Close the cluster. An error
// names the invalid field of cfg, or the file or address that failed. After an error, no host is
// running.
func Start(cfg Config) (*Cluster, error) {
	if cfg.Generation == "" {
		cfg.Generation = Current
	}
	if cfg.Hosts == nil {
		cfg.Hosts = DefaultLayout(cfg.Generation)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Dir == "" {
		return nil, errors.New("hostsim: Dir is empty; name a directory for the key files")
	}
	if err := checkLayout(cfg.Generation, cfg.Hosts); err != nil {
		return nil, err
	}
	if cfg.Cycle < 0 || cfg.ProgramTimeout < 0 || cfg.Pace < 0 {
		return nil, errors.New("hostsim: Cycle, ProgramTimeout and Pace cannot be negative")
	}
	key, err := writeClientKey(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("hostsim: client key: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &Cluster{
		dir: cfg.Dir, now: cfg.Now, key: key, ctx: ctx, cancel: cancel,
		world: newWorld(cfg.Generation, cfg.Hosts, measured(cfg.Cycle, cfg.ProgramTimeout, cfg.Pace), cfg.Now()),
	}
	if err := c.startHosts(cfg.Hosts); err != nil {
		return nil, errors.Join(fmt.Errorf("hostsim: %w", err), c.Close())
	}
	return c, nil
}

// startHosts starts the SSH server of every host, and writes the file known_hosts.
func (c *Cluster) startHosts(specs []HostSpec) error {
	var known strings.Builder
	for i, spec := range specs {
		h, err := newHost(c, spec, c.world.machines[i])
		if err != nil {
			return fmt.Errorf("host %s: %w", spec.Name, err)
		}
		c.hosts = append(c.hosts, h)
		known.WriteString(knownhosts.Line([]string{h.address}, h.signer.PublicKey()) + "\n")
	}
	return os.WriteFile(c.KnownHosts(), []byte(known.String()), 0o600)
}

// writeClientKey creates the key that the hosts accept.
func writeClientKey(dir string) (ssh.PublicKey, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	block, err := ssh.MarshalPrivateKey(private, "hostsim")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "id_ed25519"), pem.EncodeToMemory(block), 0o600); err != nil {
		return nil, err
	}
	return ssh.NewPublicKey(public)
}

// Address returns the address of a host as "127.0.0.1:port", or "" for an unknown host. Faults do
// not change the address.
func (c *Cluster) Address(host string) string {
	if h := c.host(host); h != nil {
		return h.address
	}
	return ""
}

// KeyFile returns the path of the private key that every host accepts.
func (c *Cluster) KeyFile() string { return filepath.Join(c.dir, "id_ed25519") }

// KnownHosts returns the path of the file with every host's key.
func (c *Cluster) KnownHosts() string { return filepath.Join(c.dir, "known_hosts") }

// Login returns the SSH user of every host: "dhops".
func (c *Cluster) Login() string { return Login }

// Executed lists every command that a host received, in order.
func (c *Cluster) Executed() []Execution {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.executed)
}

// Close stops the hosts, cuts their connections, and ends running commands. It returns when all of
// this is done. It does not remove the key files.
func (c *Cluster) Close() error {
	c.cancel()
	var errs []error
	for _, h := range c.hosts {
		errs = append(errs, h.close())
	}
	c.wg.Wait()
	return errors.Join(errs...)
}

func (c *Cluster) host(name string) *host {
	i := slices.IndexFunc(c.hosts, func(h *host) bool { return h.spec.Name == name })
	if i < 0 {
		return nil
	}
	return c.hosts[i]
}

func (c *Cluster) hostNames() []string {
	var out []string
	for _, h := range c.hosts {
		out = append(out, h.spec.Name)
	}
	return out
}

// begin applies a command to the model of a host, and adds it to the list of executed commands. n
// is its number in the list.
func (c *Cluster) begin(h *host, login, line string) (n int, run *call, a answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.world.advance(c.now())
	run, a = c.world.run(h.model, login, line)
	if h.model.noisy {
		a.noise = noiseLine
	}
	e := Execution{
		N: len(c.executed) + 1, Host: h.spec.Name, Login: login, Line: line, User: run.user,
		Argv: slices.Clone(run.argv), At: c.world.now, Exit: -1, Changes: a.changes,
	}
	c.executed = append(c.executed, e)
	return e.N, run, a
}

// ended records a command's exit code.
func (c *Cluster) ended(n, exit int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.executed[n-1].Exit = exit
}

// settled advances the model to the current time, and calls ask, which reports whether a command
// has ended.
func (c *Cluster) settled(ask func() (answer, bool)) (answer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.world.advance(c.now())
	return ask()
}
