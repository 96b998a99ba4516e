package faulttest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dhbot/internal/pause"
	"dhbot/internal/sim/slacklocal"
)

// shapes are the worlds in which random rounds are played.
var shapes = []shape{embedded, {Replicas: 1, Members: 1}, shared, {Replicas: 3, Members: 1}, {Replicas: 3, Members: 3}}

// shortRounds is how many random rounds the short version plays. `.ci/long faults` plays more.
const shortRounds = 3

// TestRandom plays rounds with one to three faults at random points. The seed of a round determines
// the faults and the points.
func TestRandom(t *testing.T) {
	t.Parallel()
	if only := os.Getenv("DHBOT_FAULT_SEED"); only != "" {
		seed, err := strconv.ParseUint(only, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		random(t, seed)
		return
	}
	first, rounds := uint64(1), shortRounds
	if n, err := strconv.Atoi(os.Getenv("DHBOT_FAULT_ROUNDS")); err == nil {
		first, rounds = uint64(time.Now().Unix())*10_000, n
	}
	t.Logf("seeds from %d on", first)
	for i := range rounds {
		seed := first + uint64(i)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random(t, seed)
		})
	}
}

func random(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	rd := round{
		shape: shapes[r.IntN(len(shapes))], seed: seed, script: crowd,
		replay: fmt.Sprintf("DHBOT_FAULT_SEED=%d go test -run Random", seed),
	}
	for range 1 + r.IntN(3) {
		rd.snares = append(rd.snares, snare{at: somewhere(r), fault: oneOf(r, rd.shape)})
	}
	t.Logf("%s", rd.shape)
	for _, s := range rd.snares {
		t.Logf("%s at %q", s.fault.name, s.at)
	}
	rd.play(t)
}

// often says about how often a round of crowd crosses each kind of point.
var often = []point{
	{"claim before", 10}, {"claim after", 10}, {"handle before", 10}, {"handle after", 10}, {"append before", 5}, {"append after", 5},
	{"settle before", 5}, {"settle after", 5}, {"whisper before", 5}, {"whisper after", 5}, {"show after", 1},
	{"commit requested before", 3}, {"commit requested after", 3}, {"commit approved before", 2}, {"commit approved after", 2},
	{"commit started before", 3}, {"commit started after", 3}, {"commit step started before", 12}, {"commit step started after", 12},
	{"send before", 4}, {"send after", 4}, {"read before", 12}, {"read after", 12}, {"commit step ended before", 12}, {"commit step ended after", 12},
	{"commit step ended+ended before", 3}, {"commit step ended+ended after", 3}, {"commit queued before", 1}, {"commit queued after", 1},
	{"post before", 10}, {"post after", 10}, {"edit before", 12}, {"edit after", 12}, {"note post before", 15}, {"note post after", 15},
	{"note trail before", 5}, {"note trail after", 5},
}

func somewhere(r *rand.Rand) point {
	p := often[r.IntN(len(often))]
	return point{p.What, 1 + r.IntN(p.N)}
}

// oneOf returns a random fault that is possible in a world. If etcd has three members, every third
// fault concerns etcd.
func oneOf(r *rand.Rand, s shape) fault {
	list := faults()
	if s.Members == 3 && r.IntN(3) == 0 {
		list = slices.DeleteFunc(list, func(f fault) bool { return !strings.HasPrefix(f.name, "etcd") })
	}
	for {
		if f := list[r.IntN(len(list))]; f.fits == nil || f.fits(s) {
			return f
		}
	}
}

// crowd is the script of random rounds. Several people make requests and approve, each at their own
// pace.
func crowd(ctx context.Context, p *people, r *rand.Rand) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	tempers := [][]string{{"approver"}, {"approver2", "approver"}, {"approver", "approver", "approver2", "reader"}, {"approver2", "approver2"}}
	temper := tempers[r.IntN(len(tempers))]
	var approving, asking sync.WaitGroup
	approving.Go(func() { p.approve(ctx, func(string) []string { return append(temper, "approver2") }) })
	// The random numbers are drawn before the people act in parallel, so that their order is fixed.
	query := []string{"restart db_tdcp", "restart db_query_server on query-1"}[r.IntN(2)]
	infra := []string{"restart db_ltds", "restart db_acl_write_server"}[r.IntN(2)]
	rest := func() bool { return pause.For(ctx, between(r, 0, 1500*time.Millisecond)) }
	for _, do := range []func(){
		func() { p.ask(ctx, "operator", "restart db_dis") },
		func() { p.mention("approver", query) },
		func() { p.ask(ctx, "operator", infra) },
		func() { p.status("reader", "status") },
		func() { _ = p.slack.Inject(slacklocal.Fault{Kind: "redeliver", Count: 2}) },
	} {
		if r.IntN(4) > 0 {
			asking.Go(do)
			rest()
		}
	}
	asking.Wait()
	p.settleDown(ctx)
	stop()
	approving.Wait()
}
