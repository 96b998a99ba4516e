package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"dhbot/internal/remote"
	"dhbot/internal/sshexec"
	"dhbot/internal/sshroute"
	"dhbot/internal/test/sshdtest"
)

const (
	manyHosts = 500
	// warmMB is the most memory, in MB, that manyHosts warm connections may use.
	warmMB        = 60
	connectRounds = 3
	// A round of the comparison is warmCommands commands over an open connection, and coldCommands
	// commands over new connections. There are sshRounds rounds.
	warmCommands = 60
	coldCommands = 6
	sshRounds    = 8
	// fastest is the quantile of the times that is compared. It is low because other load on the
	// machine can only make times longer.
	fastest = 0.1
	// crowdHosts is the number of hosts that one sshd simulates, at most mostListened.
	// maxStartups is how many concurrent logins this sshd allows.
	crowdHosts  = 16
	maxStartups = 4
)

// BenchmarkSSH measures the SSH client alone, and compares it with plain x/crypto. It measures the
// memory of 500 open connections and the time to dial all of them at once. It also measures a
// command over an open and over a new connection to a real sshd.
func BenchmarkSSH(b *testing.B) {
	for b.Loop() {
		results := append(append(connectMany(b), crowded(b)...), beside(b)...)
		for _, r := range results {
			b.ReportMetric(r.value, r.metric)
			fmt.Println(r)
		}
		b.ReportMetric(0, "ns/op") // the time of the whole benchmark means nothing
	}
}

// resident is the anonymous memory of this process in MB, after unused memory is returned to the
// system.
func resident(tb testing.TB) float64 {
	tb.Helper()
	debug.FreeOSMemory()
	runtime.GC()
	text := read(tb, "/proc/self/status")
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kB, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				tb.Fatal(err)
			}
			return float64(kB) / 1024
		}
	}
	tb.Fatal("/proc has no line about the memory of the process")
	return 0
}

// connectMany connects the pool and plain x/crypto to many hosts at once, in turn. It measures the memory
// of the connections, and how long connecting takes.
func connectMany(tb testing.TB) []result {
	tb.Helper()
	address, known := startServer(tb)
	key := benchKey(tb)
	connectPlain(tb, address, known, key) // a warm-up of the server
	var held, heldBeside, took []float64
	for range connectRounds {
		ours, oursTook := connectPool(tb, address, known, key)
		plain, plainTook := connectPlain(tb, address, known, key)
		held = append(held, ours)
		heldBeside = append(heldBeside, ours/plain)
		took = append(took, float64(oursTook)/float64(plainTook))
	}
	return []result{
		{what: "500 warm connections, MB", metric: "warm500-MB", value: median(held), atMost: warmMB},
		{what: "500 warm connections, ours / plain x/crypto", metric: "warm500-ratio", value: median(heldBeside), atMost: 1.30},
		// The limit is 3 because our pool runs one extra command per connection, to check
		// the login shell. These commands run on the same cores that simulate the 500
		// hosts.
		{what: "500 dials at once, ours / plain x/crypto", metric: "storm500-ratio", value: median(took), atMost: 3},
	}
}

// connectPool connects a pool, and returns the memory of its connections in MB.
func connectPool(tb testing.TB, address, known, key string) (held float64, took time.Duration) {
	tb.Helper()
	before := resident(tb)
	pool, err := sshexec.New(sshexec.Config{Credentials: sshroute.Keys(key), KnownHosts: known})
	if err != nil {
		tb.Fatal(err)
	}
	defer pool.Close()
	began := time.Now()
	var wg sync.WaitGroup
	for i := range manyHosts {
		wg.Go(func() { // each login simulates a host
			c := remote.Command{Host: "bench", Address: address, Login: "host" + strconv.Itoa(i), Sent: "true", Timeout: time.Minute}
			if r := pool.Run(context.Background(), c); r.Outcome != remote.Answered {
				tb.Errorf("%v: %s", r.Outcome, r.Detail)
			}
		})
	}
	wg.Wait()
	took = time.Since(began)
	if n := pool.Stats().Connections; n != manyHosts {
		tb.Errorf("%d connections are warm", n)
	}
	return resident(tb) - before, took
}

// connectPlain connects to many hosts without a pool, and returns the memory of the
// connections in MB, and the time.
func connectPlain(tb testing.TB, address, known, key string) (held float64, took time.Duration) {
	tb.Helper()
	before := resident(tb)
	began := time.Now()
	clients := plainClients(tb, address, known, key)
	took = time.Since(began)
	held = resident(tb) - before
	for _, c := range clients {
		c.Close()
	}
	return held, took
}

// TestWarmMemory checks that 500 warm connections use at most warmMB, in a build without
// the race detector.
func TestWarmMemory(t *testing.T) {
	address, known := startServer(t)
	if held, _ := connectPool(t, address, known, benchKey(t)); held > warmMB && !raced {
		t.Errorf("%d warm connections use %.0f MB, more than %d", manyHosts, held, warmMB)
	}
}

func benchKey(tb testing.TB) string {
	tb.Helper()
	return sshdtest.Keygen(tb, tb.TempDir()+"/id")
}

// plainClients opens manyHosts connections, without a limit on concurrent dials.
func plainClients(tb testing.TB, address, known, key string) []*ssh.Client {
	tb.Helper()
	config := plainConfig(tb, "", known, key)
	clients := make([]*ssh.Client, manyHosts)
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			own := *config
			own.User = "host" + strconv.Itoa(i)
			c, err := ssh.Dial("tcp", address, &own)
			if err != nil {
				tb.Error(err)
				return
			}
			if err := plainRun(c); err != nil {
				tb.Error(err)
			}
			clients[i] = c
		})
	}
	wg.Wait()
	return clients
}

func plainConfig(tb testing.TB, login, known, key string) *ssh.ClientConfig {
	tb.Helper()
	signer, err := ssh.ParsePrivateKey([]byte(read(tb, key)))
	if err != nil {
		tb.Fatal(err)
	}
	callback, err := knownhosts.New(known)
	if err != nil {
		tb.Fatal(err)
	}
	return &ssh.ClientConfig{
		User: login, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: callback,
		HostKeyAlgorithms: []string{ssh.KeyAlgoED25519},
	}
}

func plainRun(c *ssh.Client) error {
	s, err := c.NewSession()
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Run("true")
}

// beside lets the pool and plain x/crypto take turns on one real sshd, over open and over
// new connections, and compares the times.
func beside(tb testing.TB) []result {
	tb.Helper()
	s := sshdtest.Start(tb, "MaxSessions 100")
	command := remote.Command{Host: "bench", Address: s.Address, Login: s.Login, Sent: "true", Timeout: time.Minute}
	config := plainConfig(tb, s.Login, s.KnownHosts, s.KeyFile)
	open := func() *sshexec.Pool {
		pool, err := sshexec.New(sshexec.Config{Credentials: sshroute.Keys(s.KeyFile), KnownHosts: s.KnownHosts})
		if err != nil {
			tb.Fatal(err)
		}
		return pool
	}
	ours := func(pool *sshexec.Pool) {
		if r := pool.Run(context.Background(), command); r.Outcome != remote.Answered {
			tb.Fatalf("%v: %s", r.Outcome, r.Detail)
		}
	}
	dial := func() *ssh.Client {
		c, err := ssh.Dial("tcp", s.Address, config)
		if err != nil {
			tb.Fatal(err)
		}
		return c
	}
	plain := func(c *ssh.Client) {
		if err := plainRun(c); err != nil {
			tb.Fatal(err)
		}
	}
	pool, client := open(), dial()
	defer pool.Close()
	defer client.Close()
	warm := taken(warmCommands*sshRounds, func() { ours(pool) }, func() { plain(client) })
	cold := taken(coldCommands*sshRounds,
		func() { p := open(); ours(p); p.Close() },
		func() { c := dial(); plain(c); c.Close() })
	return []result{
		{what: "warm command, ours / bare pooled x/crypto", metric: "warm-ratio", value: warm[0] / warm[1], atMost: 1.10},
		{what: "cold command, ours / plain x/crypto", metric: "cold-ratio", value: cold[0] / cold[1], atMost: 0.55},
	}
}

// taken makes each call n times, in turn. For each call it returns the quantile fastest of the
// times, in milliseconds.
func taken(n int, calls ...func()) []float64 {
	all := make([][]time.Duration, len(calls))
	for range n {
		for i, call := range calls {
			began := time.Now()
			call()
			all[i] = append(all[i], time.Since(began))
		}
	}
	out := make([]float64, len(calls))
	for i := range calls {
		out[i] = quantile(all[i], fastest)
	}
	return out
}

// crowded logs in at once to many hosts that one sshd simulates. The sshd closes new
// connections while maxStartups logins are in progress.
func crowded(tb testing.TB) []result {
	tb.Helper()
	keys := newHostKeys(tb)
	s := keys.listen(tb, addresses(0, crowdHosts), fmt.Sprintf("MaxStartups %[1]d:100:%[1]d", maxStartups))
	pool, err := sshexec.New(sshexec.Config{Credentials: sshroute.Keys(keys.login), KnownHosts: s.known})
	if err != nil {
		tb.Fatal(err)
	}
	defer pool.Close()
	ours := refusals(func(address string) error {
		c := remote.Command{Host: "bench", Address: address, Login: keys.user, Sent: "true", Timeout: time.Minute}
		if r := pool.Run(context.Background(), c); r.Outcome != remote.Answered {
			return fmt.Errorf("%v: %s", r.Outcome, r.Detail)
		}
		return nil
	}, s)
	config := plainConfig(tb, keys.user, s.known, keys.login)
	plain := refusals(func(address string) error {
		c, err := ssh.Dial("tcp", address, config)
		if err == nil {
			err = errors.Join(plainRun(c), c.Close())
		}
		return err
	}, s)
	what := fmt.Sprintf("%d logins at MaxStartups %d, ", crowdHosts, maxStartups)
	return []result{
		{what: what + "plain refused", metric: "plain-refused", value: float64(plain), atLeast: 1},
		{what: what + "ours accepted", metric: "crowd-let-in", value: float64(crowdHosts - ours), atLeast: crowdHosts},
	}
}

// refusals runs call for every address of s at once, and counts the errors.
func refusals(call func(address string) error, s listening) int {
	var refused atomic.Int64
	var wg sync.WaitGroup
	for _, ip := range s.ips {
		wg.Go(func() {
			if call(net.JoinHostPort(ip, s.port)) != nil {
				refused.Add(1)
			}
		})
	}
	wg.Wait()
	return int(refused.Load())
}
