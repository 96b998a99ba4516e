package sshroute

import (
	"fmt"
	"net"
	"strings"
)

// Place is the destination of a connection. Two hosts in different networks may have the same
// address behind different jump hosts.
type Place struct {
	Address string // host:port
	Via     string // jump hosts in the form of Hop.String, the first one first, comma-separated; "" is a direct connection
}

// Options are the settings of one host that differ from the defaults.
type Options struct {
	// Alias is the host's name in known_hosts (HostKeyAlias); "" means its address.
	Alias string
	// Credentials are used instead of the credentials for all hosts; nil means that the credentials
	// for all hosts are used.
	Credentials []Credential
	Algorithms  Algorithms
}

// Credential is an ssh-agent or a key file. Either Agent or KeyFile is set.
type Credential struct {
	// Agent is the socket of an ssh-agent.
	Agent string
	// KeyFile is a private key in OpenSSH or PEM form, readable only by its owner.
	KeyFile string
	// CertificateFile is an OpenSSH user certificate. If it is "", KEYFILE-cert.pub is used if that
	// file exists. With an agent, the certificate selects the agent's key.
	CertificateFile string
	// PassphraseFile holds the passphrase of KeyFile.
	PassphraseFile string
}

// Keys returns a credential for each file, which must be a private key without a passphrase.
func Keys(files ...string) []Credential {
	var out []Credential
	for _, f := range files {
		out = append(out, Credential{KeyFile: f})
	}
	return out
}

// Hop is one jump host.
type Hop struct{ Login, Address string }

// String is "login@host:port".
func (h Hop) String() string { return h.Login + "@" + h.Address }

// ParseHop parses "login@host" or "login@host:port".
func ParseHop(text string) (Hop, error) {
	login, address, ok := strings.Cut(text, "@")
	if !ok || login == "" || address == "" || strings.ContainsAny(text, " ,") {
		return Hop{}, fmt.Errorf("ssh jump host %q: write it as user@host:port", text)
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(strings.Trim(address, "[]"), "22")
	}
	return Hop{Login: login, Address: address}, nil
}

// Join formats a chain of jump hosts in the form of Place.Via.
func Join(hops []Hop) string {
	var out []string
	for _, h := range hops {
		out = append(out, h.String())
	}
	return strings.Join(out, ",")
}

// Last returns the last jump host of a chain, the nearest to the target. at is the place of this
// jump host, and login is the account on it. ok is false if the chain is empty, which means a
// direct connection.
func Last(via string) (at Place, login string, ok bool, err error) {
	if via == "" {
		return Place{}, "", false, nil
	}
	before, last := "", via
	if i := strings.LastIndexByte(via, ','); i >= 0 {
		before, last = via[:i], via[i+1:]
	}
	hop, err := ParseHop(last)
	if err != nil {
		return Place{}, "", false, err
	}
	return Place{Address: hop.Address, Via: before}, hop.Login, true, nil
}

// Jumps returns the places of all jump hosts of a chain, in order. For an invalid chain it returns
// nil.
func Jumps(via string) []Place {
	at, _, ok, err := Last(via)
	if !ok || err != nil {
		return nil
	}
	return append(Jumps(at.Via), at)
}

// String returns the jump hosts and then the address, separated by commas.
func (p Place) String() string { return strings.TrimPrefix(p.Via+","+p.Address, ",") }

// MarshalText implements encoding.TextMarshaler.
func (p Place) MarshalText() ([]byte, error) { return []byte(p.String()), nil }
