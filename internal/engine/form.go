package engine

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"dhbot/internal/audit"
	"dhbot/internal/redact"
)

// ErrNewerForm means that a newer version of the bot stored a value in a format that this version
// does not know. During a rolling upgrade this replica leaves the value to newer replicas.
var ErrNewerForm = errors.New("a newer version of the bot stored this in a form that this version does not know")

// EncodeRun returns a run as JSON, which is its stored form.
func EncodeRun(r Run) ([]byte, error) {
	if r.V != FormVersion {
		return nil, fmt.Errorf("run %s has form version %d, this program writes %d", r.ID, r.V, FormVersion)
	}
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("run %s cannot be stored: %w", r.ID, err)
	}
	return b, nil
}

// DecodeRun parses the stored form of a run. It converts earlier versions of the form, and
// returns ErrNewerForm for a later version. An unknown field is an error, because it would be
// lost when the run is written back.
func DecodeRun(b []byte) (Run, error) {
	var form struct {
		V  int
		ID string
	}
	if err := json.Unmarshal(b, &form); err != nil {
		return Run{}, fmt.Errorf("a stored run cannot be read: %w", err)
	}
	if form.V > FormVersion {
		return Run{}, fmt.Errorf("%w: run %s, form %d", ErrNewerForm, form.ID, form.V)
	}
	if form.V < 1 {
		return Run{}, fmt.Errorf("run %q is stored without a form version: it is damaged", form.ID)
	}
	var r Run
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return Run{}, fmt.Errorf("run %s cannot be read: %w", form.ID, err)
	}
	r.V = FormVersion
	return r, nil
}

// Check returns an error if no store may accept the change. The run needs a valid id, and the
// records must belong to the run and continue its chain. Every store calls Check first.
func (c Change) Check() error {
	if !ValidID(c.Run.ID) {
		return fmt.Errorf("%q is not a run id; ids look like R-7F3K", c.Run.ID)
	}
	if c.Release && len(c.Take) > 0 {
		return errors.New("a change must not both take and release locks")
	}
	return audit.CheckLinks(c.Run.ID, c.Records, c.Run.Records, c.Run.Head)
}

// idLetters are the characters of run ids. They lack characters that are easily confused (0/O,
// 1/I/L). They also lack U, so that no id is a word.
const idLetters = "23456789ABCDEFGHJKMNPQRSTVWXYZ"

// IDLetters is the initial number of random characters of an id (30^4 = 810,000 ids).
// MaxIDLetters is the largest number.
const (
	IDLetters    = 4
	MaxIDLetters = 8
)

var idForm = regexp.MustCompile(`^R-[` + idLetters + `]{4,8}$`)

// ValidID reports whether s has the form of a run id: "R-" and four to eight characters of
// idLetters.
func ValidID(s string) bool { return idForm.MatchString(s) }

// FreshID mints a run id for which taken returns false. After three collisions in a row the id
// gets longer. Ids of the first epoch have an even number of characters. Ids of a later epoch
// have an odd number, and begin with a character of the epoch, which repeats after 30 epochs. So
// no two nearby epochs share an id, although a store does not know the ids that another epoch used.
func FreshID(epoch uint64, taken func(id string) (bool, error)) (string, error) {
	first, n := "", IDLetters
	if epoch > 1 {
		first = string(idLetters[(epoch-2)%uint64(len(idLetters))])
	}
	for ; n+len(first) <= MaxIDLetters; n += 2 {
		for range 3 {
			id := mintID(first, n)
			used, err := taken(id)
			if err != nil {
				return "", err
			}
			if !used && !readsAsSecret(id) {
				return id, nil
			}
		}
	}
	return "", errors.New("no unused run id was found; is the store's list of used ids damaged?")
}

// readsAsSecret reports whether redaction would mistake the id before a colon for the name of a
// secret. In "R-NPWD: restart" it would hide the rest.
func readsAsSecret(id string) bool {
	const shown = ": restart db_dis on infra-1"
	return redact.Line(id+shown, 100) != id+shown
}

// mintID returns a run id, which is "R-" followed by first and n random characters.
func mintID(first string, n int) string {
	b := make([]byte, 0, n)
	var r [1]byte
	for len(b) < n {
		rand.Read(r[:]) // never fails
		// 240 = 8 · 30: larger values would make some characters more likely.
		if r[0] < 240 {
			b = append(b, idLetters[int(r[0])%len(idLetters)])
		}
	}
	return "R-" + first + string(b)
}
