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

// FormVersion is the version of the stored forms of a Follow and a Cluster. Version 2 added the
// fields worst_case and outage of a change. A value of version 1 lacks both.
const FormVersion = 2

// ErrNewerForm means that a newer version of the bot stored a value in a form that this version
// does not know. Only newer replicas use such a value.
var ErrNewerForm = errors.New("a newer version of the bot stored this in a form that this version does not know")

// Keeper stores named values. One transaction stores a value and its audit records, and settles a
// claim. After an error that wraps engine.ErrStoreDown, the value may or may not be stored.
type Keeper interface {
	// WatchState calls f with every value whose name begins with prefix, sorted by name. data is
	// nil if the bot did not write the value.
	WatchState(ctx context.Context, prefix string, f func(name string, data []byte, rev int64) error) error
	// SetWatchState stores data as the value of a name, or removes the value if data is nil. The
	// argument rev is the revision that the caller read, or 0 if there was no value. If the store
	// has another revision, SetWatchState changes nothing and returns engine.ErrConflict. It also
	// adds the records to the audit trail, and settles the claim unless it is "". The result is the
	// new revision.
	SetWatchState(ctx context.Context, name string, data []byte, rev int64, records []audit.Record, claim string) (int64, error)
}

// Prefixes of the names of values in a Keeper.
const (
	follows  = "follow/"
	clusters = "cluster/"
)

// FollowName returns the name under which a watch is stored. It has only the scope, channel and
// thread of the watch, so a request that Slack delivers twice starts only one watch.
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

// ClusterName returns the name under which the state of a cluster is stored.
func ClusterName(cluster string) string { return clusters + cluster }

// StoredFollow is a watch with the name and the revision of its value in the store.
type StoredFollow struct {
	Follow
	Name string
	Rev  int64
}

// Follows returns the stored watches, the oldest first. It skips watches that a newer version of
// the bot stored.
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
		f.V = FormVersion // the form in which it will be stored
		out = append(out, f)
		return nil
	})
	slices.SortStableFunc(out, func(a, b StoredFollow) int { return a.Began.Compare(b.Began) })
	return out, err
}

// KeptCluster returns the stored state of a cluster and its revision. If no state is stored, it
// returns a new state and 0.
func KeptCluster(ctx context.Context, k Keeper, cluster string) (*Cluster, int64, error) {
	c, at := &Cluster{V: FormVersion, Cluster: cluster}, int64(0)
	err := k.WatchState(ctx, ClusterName(cluster), func(name string, data []byte, rev int64) error {
		if name != ClusterName(cluster) {
			return nil // another cluster whose name has this one as a prefix
		}
		at = rev
		if err := decode(data, c); err != nil {
			return fmt.Errorf("the stored incidents of %s cannot be read: %w", cluster, err)
		}
		c.V = FormVersion // the form in which it will be stored
		return nil
	})
	return c, at, err
}

// Encode returns the JSON in which a *Follow or *Cluster is stored.
func Encode(v any) ([]byte, error) { return json.Marshal(v) }

// decode parses a stored form. An unknown field is an error, because writing the value back
// would lose the field.
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
		return errors.New("the form version is missing")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(into)
}
