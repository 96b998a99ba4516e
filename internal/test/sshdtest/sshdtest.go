package sshdtest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"dhbot/internal/test/testenv"
)

// Server is an OpenSSH server.
type Server struct {
	Address    string // 127.0.0.1:port
	Login      string // the current user
	KeyFile    string // an accepted private key
	Stranger   string // a private key that is refused
	KnownHosts string // names the server's ed25519 key

	t        testing.TB
	dir      string
	sshd     string
	listener *net.TCPListener
	wg       sync.WaitGroup

	mu        sync.Mutex
	closed    bool
	processes map[*exec.Cmd]bool
	accepted  int
}

// Start starts a server, which ends with the test. The lines of config, for example "MaxSessions
// 2", are added to sshd_config. Start needs real programs: see testenv.
func Start(t testing.TB, config ...string) *Server {
	t.Helper()
	s := &Server{t: t, sshd: testenv.Program(t, "sshd"), dir: t.TempDir(), processes: make(map[*exec.Cmd]bool)}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if me.Uid == "0" { // sshd as root requires an empty directory for privilege separation
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s.Login = me.Username
	s.listener, err = net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s.Address = s.listener.Addr().String()
	host := s.NewKey("host")
	s.KeyFile, s.Stranger = s.NewKey("login"), s.NewKey("stranger")
	s.KnownHosts = s.write("known_hosts", KnownHostsLine(t, s.Address, host+".pub"))
	lines := append(config, // if a keyword occurs several times, sshd uses the first value
		"HostKey "+host,
		"AuthorizedKeysFile "+s.KeyFile+".pub",
		"PidFile none",
		"StrictModes no",
		"UsePAM no",
		"PasswordAuthentication no",
		"KbdInteractiveAuthentication no",
		"PermitRootLogin prohibit-password",
		"PrintMotd no",
		"LogLevel ERROR",
		"SetEnv SHLVL=2", // stops bash from reading the user's start-up file
		"",
	)
	s.write("sshd_config", strings.Join(lines, "\n"))
	s.wg.Go(s.serve)
	t.Cleanup(s.stop)
	return s
}

// NewKey creates an ed25519 key in the server's directory, and returns its path.
func (s *Server) NewKey(name string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	out, err := exec.Command(testenv.Program(s.t, "ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path).CombinedOutput()
	if err != nil {
		s.t.Fatalf("ssh-keygen: %v: %s", err, out)
	}
	return path
}

func (s *Server) write(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// KnownHostsLine returns a line for a known_hosts file. It has the host at address, and the public
// key that is in publicKeyFile.
func KnownHostsLine(t testing.TB, address, publicKeyFile string) string {
	t.Helper()
	text, err := os.ReadFile(publicKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(text))
	host, port, err := net.SplitHostPort(address)
	if err != nil || len(fields) < 2 {
		t.Fatalf("no known_hosts line for %s and %s", address, publicKeyFile)
	}
	return fmt.Sprintf("[%s]:%s %s %s\n", host, port, fields[0], fields[1])
}

// serve starts a separate sshd for every connection ("sshd -i").
func (s *Server) serve() {
	for {
		c, err := s.listener.AcceptTCP()
		if err != nil {
			return
		}
		// Go turns off Nagle's algorithm on accepted connections. A real sshd leaves it on until a
		// session begins.
		if err := errors.Join(c.SetNoDelay(false), s.spawn(c)); err != nil {
			s.t.Errorf("sshd: %v", err)
		}
		c.Close()
	}
}

func (s *Server) spawn(c *net.TCPConn) error {
	socket, err := c.File()
	if err != nil {
		return err
	}
	defer socket.Close()
	log, err := os.OpenFile(filepath.Join(s.dir, "sshd.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(s.sshd, "-i", "-e", "-f", filepath.Join(s.dir, "sshd_config"))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = socket, socket, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.accepted++
	s.processes[cmd] = true
	s.wg.Go(func() {
		_ = cmd.Wait() // the exit status does not matter
		s.mu.Lock()
		delete(s.processes, cmd)
		s.mu.Unlock()
	})
	return nil
}

// Signal sends a signal to every sshd process that serves a connection, but not to the commands
// that it runs. KILL drops the connections, STOP freezes the host, and CONT thaws it.
func (s *Server) Signal(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for cmd := range s.processes {
		_ = syscall.Kill(-cmd.Process.Pid, sig) // the process may have ended
	}
}

// Accepted returns how many connections the server has accepted so far.
func (s *Server) Accepted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted
}

// Connections returns how many connections are open now.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.processes)
}

// Refuse closes the listening socket, so that new connections are refused.
func (s *Server) Refuse() { s.listener.Close() }

func (s *Server) stop() {
	s.listener.Close()
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.Signal(syscall.SIGCONT)
	s.Signal(syscall.SIGKILL)
	s.wg.Wait()
	if log, err := os.ReadFile(filepath.Join(s.dir, "sshd.log")); s.t.Failed() && err == nil {
		s.t.Logf("sshd said:\n%s", log)
	}
}
