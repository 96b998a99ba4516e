package sshroute

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Algorithms are the SSH algorithms that are offered to a host, in order of preference. A nil list
// means the default.
type Algorithms struct {
	KeyExchanges []string
	Ciphers      []string
	MACs         []string
	HostKeys     []string
	PublicKeys   []string
}

// Kind is a class of SSH algorithms. Its value is the keyword of the class in ssh_config(5).
type Kind string

// The classes that can be set for each host.
const (
	KeyExchange Kind = "KexAlgorithms"
	Cipher      Kind = "Ciphers"
	MAC         Kind = "MACs"
	HostKey     Kind = "HostKeyAlgorithms"
	PublicKey   Kind = "PubkeyAcceptedAlgorithms"
)

// Kinds are all classes.
func Kinds() []Kind { return []Kind{KeyExchange, Cipher, MAC, HostKey, PublicKey} }

// Set sets the list of algorithms of one class.
func (a *Algorithms) Set(kind Kind, list []string) {
	*a.list(kind) = list
}

func (a *Algorithms) list(kind Kind) *[]string {
	switch kind {
	case KeyExchange:
		return &a.KeyExchanges
	case Cipher:
		return &a.Ciphers
	case MAC:
		return &a.MACs
	case HostKey:
		return &a.HostKeys
	default:
		return &a.PublicKeys
	}
}

// of returns the list of one class from a list of the SSH library.
func of(a ssh.Algorithms, kind Kind) []string {
	switch kind {
	case KeyExchange:
		return a.KeyExchanges
	case Cipher:
		return a.Ciphers
	case MAC:
		return a.MACs
	case HostKey:
		return a.HostKeys
	default:
		return a.PublicKeyAuths
	}
}

// Default returns the algorithms that are offered to a host without a list in the config.
func Default(kind Kind) []string { return of(ssh.SupportedAlgorithms(), kind) }

// Weak returns the algorithms that are offered to a host only if its own list includes them.
func Weak(kind Kind) []string {
	weak := of(ssh.InsecureAlgorithms(), kind)
	if kind == HostKey || kind == PublicKey {
		return weak
	}
	return slices.DeleteFunc(weak, func(name string) bool { return slices.Contains(Default(kind), name) })
}

// Chosen is the result of parsing a list.
type Chosen struct {
	List    []string
	Weak    []string // algorithms in List with known weaknesses
	Unknown []string // names in the list that the bot does not implement
}

// Choose parses a comma-separated list of algorithms, as in ssh_config(5). Names may have
// wildcards. The list replaces the default. But with a leading + it is appended to the default,
// with - it is removed from the default, and with ^ it is put before the default.
func Choose(kind Kind, spec string) (Chosen, error) {
	sign, spec := cutSign(strings.TrimSpace(spec))
	all := append(Default(kind), Weak(kind)...)
	var named, unknown []string
	for _, pattern := range strings.Split(spec, ",") {
		pattern = strings.TrimSpace(pattern)
		if pattern == "" {
			return Chosen{}, fmt.Errorf("the list %s contains an empty name", kind)
		}
		found := matching(all, pattern)
		if len(found) == 0 {
			unknown = append(unknown, pattern)
		}
		named = append(named, found...)
	}
	c := Chosen{Unknown: unknown}
	switch sign {
	case '+':
		c.List = unique(append(Default(kind), named...))
	case '-':
		c.List = slices.DeleteFunc(Default(kind), func(name string) bool { return slices.Contains(named, name) })
	case '^':
		c.List = unique(append(named, Default(kind)...))
	default:
		c.List = unique(named)
	}
	if len(c.List) == 0 {
		return c, fmt.Errorf("%s leaves no algorithm that the bot implements: it has %s", kind, strings.Join(all, ", "))
	}
	for _, name := range c.List {
		if slices.Contains(Weak(kind), name) {
			c.Weak = append(c.Weak, name)
		}
	}
	return c, nil
}

func cutSign(spec string) (sign byte, rest string) {
	if spec != "" && strings.IndexByte("+-^", spec[0]) >= 0 {
		return spec[0], spec[1:]
	}
	return 0, spec
}

// matching returns the names that match a pattern, which may have * and ?.
func matching(all []string, pattern string) []string {
	var out []string
	for _, name := range all {
		if ok, err := path.Match(pattern, name); err == nil && ok {
			out = append(out, name)
		}
	}
	return out
}

func unique(list []string) []string {
	var out []string
	for _, name := range list {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// ConfigKey returns the key of a class in the bot's config of a host.
func ConfigKey(kind Kind) string {
	switch kind {
	case KeyExchange:
		return "kex"
	case Cipher:
		return "ciphers"
	case MAC:
		return "macs"
	case HostKey:
		return "host_keys"
	default:
		return "public_keys"
	}
}
