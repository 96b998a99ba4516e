package sshdtest

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dhbot/internal/test/testenv"
)

// Authority is a certificate authority. It signs certificates with ssh-keygen.
type Authority struct {
	Key string // the file of the private key; the file of the public key has the suffix .pub
	t   testing.TB
}

// NewAuthority creates a certificate authority.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	return NewAuthorityOf(t, "ed25519")
}

// NewAuthorityOf creates a certificate authority. Its key has the type keyType, which is a value of
// ssh-keygen's option -t.
func NewAuthorityOf(t testing.TB, keyType string) *Authority {
	t.Helper()
	return &Authority{Key: KeygenOf(t, filepath.Join(t.TempDir(), "ca"), keyType), t: t}
}

// Keygen creates an ed25519 key pair, and returns path, where the private key is.
func Keygen(t testing.TB, path string) string {
	t.Helper()
	return KeygenOf(t, path, "ed25519")
}

// KeygenOf creates a key pair of the type keyType, which is a value of ssh-keygen's option -t. It
// returns path, where the private key is.
func KeygenOf(t testing.TB, path, keyType string) string {
	t.Helper()
	keygen(t, "-q", "-t", keyType, "-N", "", "-C", filepath.Base(path), "-f", path)
	return path
}

// Sign signs the public key of a key pair, whose private key is in the file key. It makes a user
// certificate for the principals, or a host certificate with the option -h. The options are passed
// to ssh-keygen. Sign returns the path of the certificate, next to the key, where OpenSSH expects
// it.
func (a *Authority) Sign(key, principals string, options ...string) (certificate string) {
	a.t.Helper()
	keygen(a.t, append(append([]string{"-q", "-s", a.Key, "-I", filepath.Base(key), "-n", principals}, options...), key+".pub")...)
	return key + "-cert.pub"
}

func keygen(t testing.TB, arguments ...string) {
	t.Helper()
	if out, err := exec.Command(testenv.Program(t, "ssh-keygen"), arguments...).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen %q: %v: %s", arguments, err, out)
	}
}

// Agent is a running ssh-agent.
type Agent struct {
	Socket string
	t      testing.TB
}

// StartAgent starts an ssh-agent that ends with the test.
func StartAgent(t testing.TB) *Agent {
	t.Helper()
	a := &Agent{Socket: filepath.Join(t.TempDir(), "agent.sock"), t: t}
	cmd := exec.Command(testenv.Program(t, "ssh-agent"), "-D", "-a", a.Socket)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // the exit status does not matter
	})
	// ssh-agent prints its address once it listens.
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("ssh-agent: %v", err)
	}
	return a
}

// Add adds a private key to the agent, and its certificate if there is one.
func (a *Agent) Add(key string) {
	a.t.Helper()
	a.run("-q", key)
}

// Clear removes all keys from the agent.
func (a *Agent) Clear() {
	a.t.Helper()
	a.run("-q", "-D")
}

func (a *Agent) run(arguments ...string) {
	a.t.Helper()
	cmd := exec.Command(testenv.Program(a.t, "ssh-add"), arguments...)
	cmd.Env = append(os.Environ(), "SSH_AUTH_SOCK="+a.Socket)
	if out, err := cmd.CombinedOutput(); err != nil {
		a.t.Fatalf("ssh-add %s: %v: %s", strings.Join(arguments, " "), err, out)
	}
}
