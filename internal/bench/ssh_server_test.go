package bench

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// serverVariable is an environment variable that makes the test binary run as an SSH server. The
// server is a separate process, so that its memory and CPU time are not counted as the bot's.
const serverVariable = "DHBOT_BENCH_SSH_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(serverVariable) != "" {
		serveSSH()
		return
	}
	os.Exit(m.Run())
}

// serveSSH accepts every login and runs every command in a shell. It prints the known_hosts
// line of the server, and ends when standard input ends.
func serveSSH() {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	key, err := ssh.NewSignerFromKey(private)
	if err != nil {
		panic(err)
	}
	config := &ssh.ServerConfig{PublicKeyCallback: func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) {
		return nil, nil
	}}
	config.AddHostKey(key)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // until the parent ends
		os.Exit(0)
	}()
	at := listener.Addr().String()
	fmt.Println(at, knownhosts.Line([]string{at}, key.PublicKey()))
	for {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		go serveConn(c, config)
	}
}

func serveConn(c net.Conn, config *ssh.ServerConfig) {
	_, channels, requests, err := ssh.NewServerConn(c, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for n := range channels {
		channel, requests, err := n.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range requests {
				_ = r.Reply(r.Type == "exec", nil)
				if r.Type == "exec" {
					answer(channel, r.Payload)
				}
			}
		}()
	}
}

// answer runs the command of an exec request.
func answer(channel ssh.Channel, payload []byte) {
	defer channel.Close()
	var asked struct{ Command string }
	if err := ssh.Unmarshal(payload, &asked); err != nil {
		return
	}
	cmd := exec.Command("/bin/sh", "-c", asked.Command)
	cmd.Stdout = channel
	var exit struct{ Status uint32 }
	if err := cmd.Run(); err != nil {
		exit.Status = 1
	}
	_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(exit))
}

// startServer starts the server in a separate process.
func startServer(tb testing.TB) (address, knownHosts string) {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serverVariable+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		in.Close()
		_ = cmd.Wait() // its exit status does not matter
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		tb.Fatal(err)
	}
	address, known, _ := strings.Cut(strings.TrimSpace(line), " ")
	return address, write(tb, filepath.Join(tb.TempDir(), "known_hosts"), known+"\n", 0o600)
}
