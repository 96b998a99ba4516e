package incident

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dhbot/internal/audit"
)

// FormVersion is the version of the stored forms of a Follow and a Cluster.
// Form 2 added worst_case and outage to a change; of form 1 both are unknown.
const FormVersion = 2

// ErrNewerForm says that a newer version of the bot stored something in a form
// that this one does not know; it is left to the newer replicas.
var ErrNewerForm = errors.New("a newer version of the bot stored it in a form that this one does not know")

// Keeper keeps what is watched, under names. What is changed is stored with its
// records and the settlement of a claim in one transaction; any error that
// wraps engine.ErrStoreDown may have had its effect or not.
type Keeper interface {
	// WatchState calls f with everything under names that begin with prefix, by
	// name; data is nil for what the bot did not store so.
	WatchState(ctx context.Context, prefix string, f func(name string, data []byte, rev int64) error) error
	// SetWatchState stores data under a name in place of what is there at revision rev, 0
	// for nothing, and returns the new revision; with nil it removes that. It
	// returns engine.ErrConflict where something else is there.
	SetWatchState(ctx context.Context, name string, data []byte, rev int64, records []audit.Record, claim string) (int64, error)
}

// The names under which things are kept.
const (
	follows  = "follow/"
	clusters = "cluster/"
)

// FollowName is the name of a follow. Of one thing there is one follow in one
// thread, so that a message that is delivered twice starts one.
func (f *Follow) FollowName() string {
	part := func(s string) string { return strings.ReplaceAll(orDash(s), "/", "-") }
	s := f.Scope
	return follows + strings.Join([]string{part(s.Cluster), part(s.Process), part(s.Host), part(f.Channel), part(f.Thread)}, "/")
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// ClusterName is the name under which a cluster's incidents are kept.
func ClusterName(cluster string) string { return clusters + cluster }

// StoredFollow is a follow, its name and the revision it was read at.
type StoredFollow struct {
	Follow
	Name string
	Rev  int64
}

// Follows lists the follows there are. What a newer bot has stored is left out.
func Follows(ctx context.Context, k Keeper) ([]StoredFollow, error) {
	var out []StoredFollow
	err := k.WatchState(ctx, follows, func(name string, data []byte, rev int64) error {
		f := StoredFollow{Name: name, Rev: rev}
		err := decode(data, &f.Follow)
		switch {
		case errors.Is(err, ErrNewerForm):
			return nil
		case err != nil:
			return fmt.Errorf("the stored watch %s cannot be read: %w", name, err)
		}
		f.V = FormVersion // as it will be stored again
		out = append(out, f)
		return nil
	})
	slices.SortStableFunc(out, func(a, b StoredFollow) int { return a.Began.Compare(b.Began) })
	return out, err
}

// KeptCluster returns what is remembered of a cluster and its revision, or a
// new memory and 0.
func KeptCluster(ctx context.Context, k Keeper, cluster string) (*Cluster, int64, error) {
	c, at := &Cluster{V: FormVersion, Cluster: cluster}, int64(0)
	err := k.WatchState(ctx, ClusterName(cluster), func(name string, data []byte, rev int64) error {
		if name != ClusterName(cluster) {
			return nil // another cluster, whose name begins like this one's
		}
		at = rev
		if err := decode(data, c); err != nil {
			return fmt.Errorf("the stored incidents of %s cannot be read: %w", cluster, err)
		}
		c.V = FormVersion // as it will be stored again
		return nil
	})
	return c, at, err
}

// Encode is the stored form of a *Follow or *Cluster: JSON.
func Encode(v any) ([]byte, error) { return json.Marshal(v) }

// decode reads a stored form. A field that this program does not know is an
// error: writing it back would lose it.
func decode(data []byte, into any) error { return decodeForm(data, FormVersion, into) }

func decodeForm(data []byte, newest int, into any) error {
	var form struct{ V int }
	if err := json.Unmarshal(data, &form); err != nil {
		return err
	}
	if form.V > newest {
		return fmt.Errorf("%w: form %d", ErrNewerForm, form.V)
	}
	if form.V < 1 {
		return errors.New("it has no form version")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(into)
}
