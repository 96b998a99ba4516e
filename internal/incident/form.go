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

// FormVersion is the version of the stored forms of a Follow and a Cluster. Form 2 added
// worst_case and outage to a change; in form 1 both are unknown.
const FormVersion = 2

// ErrNewerForm means that a newer version of the bot stored a form that this version does not
// know. Such a value is left to newer replicas.
var ErrNewerForm = errors.New("a newer version of the bot stored this in a form that this version does not know")

// Keeper stores named values. A change, its records and the settlement of a claim are stored in
// one transaction. After an error that wraps engine.ErrStoreDown the change may or may not be
// stored.
type Keeper interface {
	// WatchState calls f with every value whose name begins with prefix, sorted by name; data
	// is nil for a value that the bot did not store.
	WatchState(ctx context.Context, prefix string, f func(name string, data []byte, rev int64) error) error
	// SetWatchState stores data as the value of a name, or removes the value if data is nil. The
	// argument rev is the revision that the caller read, 0 if there was no value. If the store
	// has another revision, SetWatchState changes nothing and returns engine.ErrConflict. The
	// records are added to the trail and the claim, if any, is settled. The result is the new
	// revision.
	SetWatchState(ctx context.Context, name string, data []byte, rev int64, records []audit.Record, claim string) (int64, error)
}

// Prefixes of the names of values in a Keeper.
const (
	follows  = "follow/"
	clusters = "cluster/"
)

// FollowName is the name under which a watch is stored. A target has at most one watch in a
// thread, so a message that is delivered twice starts only one watch.
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

// ClusterName is the name of a cluster's incidents.
func ClusterName(cluster string) string { return clusters + cluster }

// StoredFollow is a watch, its name and its revision.
type StoredFollow struct {
	Follow
	Name string
	Rev  int64
}

// Follows lists all watches except those that a newer version of the bot has stored.
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

// KeptCluster returns the state of a cluster and its revision, or a new state and 0.
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

// Encode is the stored form of a *Follow or *Cluster: JSON.
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
