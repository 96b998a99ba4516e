package sshexec

import (
	"net"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"dhbot/internal/remote"
	"dhbot/internal/sshroute"
	"dhbot/internal/test/sshdtest"
)

// TestLoginRefusals checks that the error of a refused login says who refused it, and what to do.
// Each case has a real sshd with its own configuration.
func TestLoginRefusals(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config []string
		keys   func(*sshdtest.Server) []string
		o      remote.Outcome
		words  []string
	}{
		{"too many keys", []string{"MaxAuthTries 2"}, func(s *sshdtest.Server) []string {
			return []string{s.Stranger, s.NewKey("second"), s.NewKey("third"), s.KeyFile}
		}, remote.LoginRefused, []string{"MaxAuthTries", "stopped after 2 of our 4 keys", "put the right key first", "offered and refused: key", "not offered: key"}},
		{"another factor", []string{"PasswordAuthentication yes", "AuthenticationMethods publickey,password"}, nil, remote.LoginRefused, []string{"accepted the key", "password", "another factor"}},
		{"no keys", []string{"PasswordAuthentication yes", "PubkeyAuthentication no"}, nil, remote.LoginRefused, []string{"accepts no keys", "PubkeyAuthentication"}},
		{"account denied", []string{"DenyUsers *"}, nil, remote.LoginRefused, []string{"neither locked nor expired"}},
		{"not only certificates", []string{"AuthorizedKeysFile none", "TrustedUserCAKeys /dev/null"}, nil, remote.LoginRefused, []string{"not only certificates"}},
		{"group exchange alone", []string{"KexAlgorithms diffie-hellman-group-exchange-sha256"}, nil, remote.Answered, nil},
		{"no common exchange", []string{"KexAlgorithms sntrup761x25519-sha512@openssh.com"}, nil, remote.Unreachable, []string{"offers only sntrup761x25519-sha512@openssh.com", "does not support", "sshd_config"}},
		{"no common cipher", []string{"Ciphers aes256-cbc"}, nil, remote.Unreachable, []string{"offers only aes256-cbc", "does not support"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := sshdtest.Start(t, tt.config...)
			p := openPool(t, s, func(c *Config) {
				if tt.keys != nil {
					c.Credentials = sshroute.Keys(tt.keys(s)...)
				}
			})
			want(t, run(t, p, on(s, "true")), tt.o, tt.words...)
		})
	}
}

// TestLoginCutOff checks a host that closes the connection. If it does so during the login, it has
// refused the login. If it does so before its version line, it has too many logins, or a firewall
// closed the connection.
func TestLoginCutOff(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { listener.Close(); <-done })
	go func() {
		defer close(done)
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 64)) // the client sends its version first
			_, _ = c.Write([]byte("Exceeded MaxStartups\r\n"))
			c.Close()
		}
	}()
	s := sshdtest.Start(t)
	c := on(s, "true")
	c.Address = listener.Addr().String()
	want(t, run(t, openPool(t, s, func(c *Config) { c.KnownHosts, c.BusyPause = s.KnownHosts, 10*time.Millisecond }), c), remote.Unreachable,
		"before the SSH handshake", "Exceeded MaxStartups", "PerSourcePenalties", "not sent")

	k := key{login: "dhops", address: "infra-1:22"}
	l := &login{wire: &wire{}, banner: "Your account has expired; please contact your system administrator.\n"}
	l.verified.Store(true)
	f := handshakeFailure(k, &ssh.ClientConfig{}, 0, l, net.ErrClosed)
	want(t, remote.Result{Outcome: f.outcome, Detail: f.text}, remote.LoginRefused, "locked, expired or denied by PAM", "Your account has expired")
}
