package sign

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// Form is the version of a signed value; every form has a "mac". Versions of the bot without
// signatures stored runs and claims with lower versions, so they leave signed values to newer
// replicas.
const Form = 3

// Errors of Open.
var (
	ErrUnsigned  = errors.New("it is not signed")
	ErrForged    = errors.New("its signature does not fit: it was changed, or it belongs under another key or to another store")
	ErrOtherKey  = errors.New("it was signed with another key")
	ErrNewerForm = errors.New("it is signed in a form that this version does not know")
)

// Value is the content of a signed value.
type Value struct {
	Epoch uint64 // of the installation, when it was signed
	N     uint64 // the revision counter of the value; it only increases
	Body  []byte // JSON
}

// signed is the stored form.
type signed struct {
	V     int             `json:"v"`
	Epoch uint64          `json:"epoch"`
	N     uint64          `json:"n"`
	Key   string          `json:"key"`
	MAC   string          `json:"mac"`
	Body  json.RawMessage `json:"body"`
}

// Sign returns the stored form of a value for a key path of the store.
func (k *Key) Sign(path string, v Value) []byte {
	s := signed{Form, v.Epoch, v.N, k.current.id, "", v.Body}
	sum := hex.EncodeToString(mac(k.current.mac, k.install, path, s))
	return fmt.Appendf(nil, `{"v":%d,"epoch":%d,"n":%d,"key":%q,"mac":%q,"body":%s}`, s.V, s.Epoch, s.N, s.Key, sum, s.Body)
}

// Open verifies a value that was signed for this path of this store, and returns it.
func (k *Key) Open(path string, stored []byte) (Value, error) {
	var s signed
	if err := json.Unmarshal(stored, &s); err != nil {
		return Value{}, fmt.Errorf("%w: %w", ErrForged, err)
	}
	switch {
	case s.MAC == "" || s.V < Form: // without a signature a newer version proves nothing
		return Value{}, ErrUnsigned
	case s.V > Form:
		return Value{}, ErrNewerForm
	}
	var by *secret
	switch {
	case s.Key == k.current.id:
		by = &k.current
	case k.before != nil && s.Key == k.before.id:
		by = k.before
	default:
		return Value{}, ErrOtherKey
	}
	given, err := hex.DecodeString(s.MAC)
	if err != nil || !hmac.Equal(given, mac(by.mac, k.install, path, s)) {
		return Value{}, ErrForged
	}
	return Value{Epoch: s.Epoch, N: s.N, Body: s.Body}, nil
}

// Content returns a value without verifying it. For example, the bot adopts a store, reads a store
// without its key, or reads an archived run. The result wasSigned only means that the value has the
// form of a signed value.
func Content(stored []byte) (v Value, wasSigned bool) {
	var s signed
	if json.Unmarshal(stored, &s) != nil || s.V != Form || len(s.Body) == 0 {
		return Value{Body: stored}, false
	}
	return Value{Epoch: s.Epoch, N: s.N, Body: s.Body}, true
}

// mac returns the HMAC of the installation, the path and the body, each after its length, and of
// the epoch and the counter.
func mac(key []byte, install, path string, s signed) []byte {
	h := hmac.New(sha256.New, key)
	var n [8]byte
	number := func(v uint64) {
		binary.BigEndian.PutUint64(n[:], v)
		h.Write(n[:])
	}
	for _, part := range []string{install, path, string(s.Body)} {
		number(uint64(len(part)))
		h.Write([]byte(part))
	}
	number(s.Epoch)
	number(s.N)
	return h.Sum(nil)
}
