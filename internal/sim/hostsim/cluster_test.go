package hostsim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// startCluster runs simulated hosts ten times faster than real ones, and checks
// that no goroutine is left after they close.
func startCluster(t *testing.T) *Cluster {
	t.Helper()
	c, err := Start(Config{Dir: t.TempDir(), Pace: 0.1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if left := serverGoroutines(); left != "" {
			t.Errorf("still running after Close:\n%s", left)
		}
	})
	return c
}

// serverGoroutines returns the stacks of all goroutines that run code of a simulated host.
func serverGoroutines() string {
	buf := make([]byte, 1<<20)
	var out []string
	for s := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if strings.Contains(s, "hostsim.(*host)") {
			out = append(out, s)
		}
	}
	return strings.Join(out, "\n\n")
}

// dial connects to a simulated host like the bot, with the key file and known_hosts.
func dial(c *Cluster, host string) (*ssh.Client, error) { return dialWithin(c, host, 2*time.Minute) }

func dialWithin(c *Cluster, host string, limit time.Duration) (*ssh.Client, error) {
	raw, err := os.ReadFile(c.KeyFile())
	if err != nil {
		return nil, err
	}
	key, err := ssh.ParsePrivateKey(raw)
	if err != nil {
		return nil, err
	}
	check, err := knownhosts.New(c.KnownHosts())
	if err != nil {
		return nil, err
	}
	conn, err := net.DialTimeout("tcp", c.Address(host), limit)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(limit)); err != nil {
		return nil, err
	}
	sc, chans, reqs, err := ssh.NewClientConn(conn, c.Address(host), &ssh.ClientConfig{
		User: c.Login(), Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: check,
	})
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return nil, err
	}
	return ssh.NewClient(sc, chans, reqs), nil
}

func mustDial(t *testing.T, c *Cluster, host string) *ssh.Client {
	t.Helper()
	client, err := dial(c, host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// reply is what the client received from a command. exit is -1 if it received no exit code.
type reply struct {
	out, err string
	exit     int
}

func sh(client *ssh.Client, line string) reply {
	s, err := client.NewSession()
	if err != nil {
		return reply{err: err.Error(), exit: -1}
	}
	defer s.Close()
	var out, errs bytes.Buffer
	s.Stdout, s.Stderr = &out, &errs
	err = s.Run(line)
	r := reply{out: out.String(), err: errs.String()}
	var exit *ssh.ExitError
	switch {
	case errors.As(err, &exit):
		r.exit = exit.ExitStatus()
	case err != nil:
		r.exit = -1
	}
	return r
}

const wrap = "env LC_ALL=C timeout -k 5 10 sudo -n -u irisadmin "

func pidOf(t *testing.T, r reply) string {
	t.Helper()
	f := regexp.MustCompile(`(?m)^  pid +(\d+)$`).FindStringSubmatch(r.out)
	if f == nil {
		t.Fatalf("no pid in %+v", r)
	}
	return f[1]
}

// eventually calls ok until it returns true, for at most two minutes.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); {
		if ok() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("this did not happen in time: %s", what)
}

func TestRestartOverSSH(t *testing.T) {
	c := startCluster(t)
	client := mustDial(t, c, "infra-1")
	before := pidOf(t, sh(client, wrap+"monit status db_dis"))
	if r := sh(client, wrap+"monit restart db_dis"); r != (reply{}) {
		t.Fatalf("restart: %+v", r)
	}
	// On a slow machine, the restart may already have begun or ended.
	if r := sh(client, wrap+"monit status db_dis"); strings.Contains(r.out, "status                       OK\n") && pidOf(t, r) == before {
		t.Errorf("right after the restart: %+v", r)
	}
	eventually(t, "running with a new pid", func() bool {
		r := sh(client, wrap+"monit status db_dis")
		return strings.Contains(r.out, "status                       OK\n") && pidOf(t, r) != before
	})
	eventually(t, "RUNNING in the log", func() bool {
		r := sh(client, "env LC_ALL=C timeout -k 5 10 tail -n 5 /var/log/deephaven/dis/DataImportServer.log.current")
		return r.exit == 0 && strings.Contains(r.out, "db_dis SHUTTING_DOWN") == false && strings.Contains(r.out, "- INFO - db_dis RUNNING\n")
	})
	e := c.Executed()
	if len(e) < 4 || e[1].N != 2 || !e[1].Changes || e[0].Changes || e[1].Exit != 0 || e[1].User != "irisadmin" ||
		strings.Join(e[1].Argv, " ") != "monit restart db_dis" || e[1].Line != wrap+"monit restart db_dis" || e[1].Host != "infra-1" {
		t.Errorf("executed: %+v", e)
	}
}

// A line that needs a shell is refused and has no effect.
func TestShellIsRefused(t *testing.T) {
	c := startCluster(t)
	client := mustDial(t, c, "infra-1")
	for _, line := range []string{
		"", " ", "monit restart db_dis; rm -rf /", "sudo monit status $(reboot)", "sudo monit status `reboot`", "true | cat", "true && false",
		"cat < /etc/passwd", "true > /tmp/x", "true &", "(true)", "A=1 true", "true\nfalse", "! true", "echo $HOME", `echo "$HOME"`, "ls ~", "ls {a,b}",
		"true # and more", "sudo monit status 'db_dis", `echo $'\n'`, "if true; then true; fi", "true || true", "f() { true; }", "sudo monit restart db_dis & disown",
	} {
		if r := sh(client, line); r.exit != 127 || !strings.HasPrefix(r.err, refusal) {
			t.Errorf("%q: %+v", line, r)
		}
	}
	for _, e := range c.Executed() {
		if e.Changes {
			t.Errorf("a refused line changed something: %+v", e)
		}
	}
}

// monit treats a name as a pattern. So a caller that sends a pattern restarts more processes than
// intended, and tests can see this in the list of executed commands.
func TestNamesArePatterns(t *testing.T) {
	c := startCluster(t)
	client := mustDial(t, c, "infra-1")
	if r := sh(client, "sudo -n monit restart 'DB_L.*|tailer.'"); r != (reply{}) {
		t.Fatalf("%+v", r)
	}
	r := sh(client, "sudo -n monit summary")
	if strings.Count(r.out, "restart pending") != 2 {
		t.Errorf("want two restarts:\n%s", r.out)
	}
	if r := sh(client, "sudo -n monit status db_"); r.exit != 1 || r.err != "Service 'db_' not found\n" {
		t.Errorf("patterns are anchored: %+v", r)
	}
}

func TestTimeLimit(t *testing.T) {
	c := startCluster(t)
	client := mustDial(t, c, "infra-1")
	if r := sh(client, "timeout -k 5 0.05 sleep 60"); r != (reply{exit: 124}) {
		t.Errorf("beyond the limit: %+v", r)
	}
	if r := sh(client, "timeout -k 5 60 sleep 0.05"); r != (reply{}) {
		t.Errorf("within the limit: %+v", r)
	}
	// A command that exceeds its time limit is killed, but its effect remains.
	fault(t, c, "infra-1", "-", "slow", "1h")
	if r := sh(client, "timeout -k 5 0.05 sudo -n monit stop db_dis"); r.exit != 124 {
		t.Errorf("slow host: %+v", r)
	}
	eventually(t, "db_dis stopped", func() bool { return view(c, "infra-1", "db_dis").PID == 0 })
}

func fault(t *testing.T, c *Cluster, host, process, name string, args ...string) {
	t.Helper()
	if err := c.Fault(host, process, name, args...); err != nil {
		t.Fatal(err)
	}
}

func view(c *Cluster, host, process string) ProcessView {
	for _, h := range c.Hosts() {
		for _, p := range h.Processes {
			if h.Name == host && p.ID == process {
				return p
			}
		}
	}
	return ProcessView{}
}

func TestSessionsPerConnection(t *testing.T) {
	c := startCluster(t)
	client := mustDial(t, c, "query-1")
	for i := range maxSessions {
		s, err := client.NewSession()
		if err != nil {
			t.Fatalf("session %d: %v", i+1, err)
		}
		defer s.Close()
	}
	var open *ssh.OpenChannelError
	if _, err := client.NewSession(); !errors.As(err, &open) || open.Reason != ssh.ConnectionFailed {
		t.Errorf("one session too many: %v", err)
	}
}

// A command continues after its client disconnects.
func TestCommandOutlivesItsClient(t *testing.T) {
	c := startCluster(t)
	client := mustDial(t, c, "infra-1")
	s, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start("sleep 0.2"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "started", func() bool { return len(c.Executed()) == 1 })
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	if e := c.Executed()[0]; e.Exit != -1 {
		t.Errorf("ended too early: %+v", e)
	}
	eventually(t, "ended", func() bool { return c.Executed()[0].Exit == 0 })
}

func TestCloseEndsRunningCommands(t *testing.T) {
	c := startCluster(t) // its cleanup closes it and checks for leftovers
	s, err := mustDial(t, c, "infra-1").NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start("sleep 3600"); err != nil {
		t.Fatal(err)
	}
	fault(t, c, "query-1", "", "freeze")
	conn, err := net.Dial("tcp", c.Address("query-1"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
}

func TestConcurrentUse(t *testing.T) {
	c := startCluster(t)
	const workers, each = 8, 20
	done := make(chan error, workers)
	for i := range workers {
		go func() {
			client, err := dial(c, []string{"infra-1", "query-1", "query-2"}[i%3])
			if err != nil {
				done <- err
				return
			}
			defer client.Close()
			for n := range each {
				verb := []string{"status", "restart"}[n%2]
				if r := sh(client, "sudo -n monit "+verb+" tailer1"); r.exit != 0 {
					done <- fmt.Errorf("%+v", r)
					return
				}
				c.Hosts()
			}
			done <- nil
		}()
	}
	for range workers {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	e := c.Executed()
	if len(e) != workers*each {
		t.Fatalf("%d commands executed, want %d", len(e), workers*each)
	}
	for i, x := range e {
		if x.N != i+1 || x.Exit != 0 {
			t.Errorf("execution %d: %+v", i+1, x)
		}
	}
}

func TestHandler(t *testing.T) {
	c := startCluster(t)
	web := httptest.NewServer(c.Handler())
	defer web.Close()
	post := func(contentType, body string) (int, string) {
		r, err := http.Post(web.URL+"/fault", contentType, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r.StatusCode, string(text)
	}
	const body = `{"host":"infra-1","process":"db_dis","fault":"stop"}` // monit does not undo this stop
	if code, _ := post("text/plain", body); code != http.StatusUnsupportedMediaType || view(c, "infra-1", "db_dis").PID == 0 {
		t.Errorf("a form's content type: %d", code)
	}
	if code, text := post("application/json", `{"host":"infra-9","fault":"kill"}`); code != 400 || !strings.Contains(text, "infra-1, query-1, query-2") {
		t.Errorf("unknown host: %d %s", code, text)
	}
	if code, text := post("application/json", body); code != http.StatusNoContent || view(c, "infra-1", "db_dis").PID != 0 {
		t.Errorf("stop: %d %s", code, text)
	}
	sh(mustDial(t, c, "infra-1"), "hostname")
	for path, want := range map[string]string{"/executed": `"argv":["hostname"]`, "/hosts": `{"id":"db_dis","pid":0,"status":"Not monitored"}`} {
		r, err := http.Get(web.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %s", path, text)
		}
	}
}
