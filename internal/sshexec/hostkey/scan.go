package hostkey

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"dhbot/internal/sshroute"

	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// Key is a host key that a host has shown. It is not trusted until a person has compared its
// fingerprint with the key on the host.
type Key struct {
	Line        string // as in known_hosts; for a certificate, the line of its authority
	Type        string
	Fingerprint string // SHA256:… as in ssh-keygen -l; for a certificate, the fingerprint of its key
	Authority   string // fingerprint of the authority of a certificate; "" for a plain key
}

// scanned are the requested types of keys and certificates, each with its signature algorithms.
var scanned = [][]string{
	{ssh.KeyAlgoED25519},
	{ssh.KeyAlgoECDSA256},
	{ssh.KeyAlgoECDSA384},
	{ssh.KeyAlgoECDSA521},
	{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA},
	{ssh.CertAlgoED25519v01},
	{ssh.CertAlgoECDSA256v01},
	{ssh.CertAlgoECDSA384v01},
	{ssh.CertAlgoECDSA521v01},
	{ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01, ssh.CertAlgoRSAv01},
}

// errScanned ends a handshake after the host key was shown.
var errScanned = errors.New("the host key was seen")

// Scan requests a host's keys, without a login.
func Scan(ctx context.Context, address string, timeout time.Duration) ([]Key, error) {
	keys, err := scan(address, timeout, func() (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		return (&net.Dialer{}).DialContext(ctx, "tcp", address)
	})
	var out []Key
	for _, key := range keys {
		if !isCertificate(key) {
			out = append(out, shownKey(key, address))
		}
	}
	return out, err
}

func shownKey(key ssh.PublicKey, name string) Key {
	out := Key{Type: strings.TrimPrefix(key.Type(), "ssh-"), Fingerprint: ssh.FingerprintSHA256(bareKey(key))}
	names := []string{xknownhosts.Normalize(name)}
	if cert, ok := key.(*ssh.Certificate); ok {
		out.Authority = ssh.FingerprintSHA256(cert.SignatureKey)
		out.Line = "@cert-authority " + xknownhosts.Line(names, cert.SignatureKey)
	} else {
		out.Line = xknownhosts.Line(names, key)
	}
	return out
}

// scan requests each key type over its own connection. A host that refuses a type
// names its own types. After that, scan requests only these, because sshd may block an address that
// opens many connections without a login.
func scan(address string, timeout time.Duration, dial func() (net.Conn, error)) ([]ssh.PublicKey, error) {
	var out []ssh.PublicKey
	var last error
	var offered []string // the host's types, once they are known
	for _, algorithms := range scanned {
		if offered != nil && !slices.ContainsFunc(algorithms, func(a string) bool { return slices.Contains(offered, a) }) {
			continue
		}
		key, err := scanKey(address, algorithms, timeout, dial)
		if err != nil {
			last = err
			var none *ssh.AlgorithmNegotiationError
			if errors.As(err, &none) && slices.Equal(none.SupportedAlgorithms, algorithms) {
				offered = none.RequestedAlgorithms
			}
			continue
		}
		same := func(k ssh.PublicKey) bool { return bytes.Equal(k.Marshal(), key.Marshal()) }
		if !slices.ContainsFunc(out, same) {
			out = append(out, key)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s presented no host key: %w", address, last)
	}
	return out, nil
}

func scanKey(address string, algorithms []string, timeout time.Duration, dial func() (net.Conn, error)) (ssh.PublicKey, error) {
	conn, err := dial()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	// A connection through a jump host has no deadline, so a timer closes the connection.
	late := time.AfterFunc(timeout, func() { conn.Close() })
	defer late.Stop()
	supported, weak := ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms()
	var shown ssh.PublicKey
	_, _, _, err = ssh.NewClientConn(conn, address, &ssh.ClientConfig{
		Config: ssh.Config{
			KeyExchanges: append(supported.KeyExchanges, weak.KeyExchanges...),
			Ciphers:      append(supported.Ciphers, weak.Ciphers...),
		},
		HostKeyAlgorithms: algorithms, ClientVersion: "SSH-2.0-dhbot",
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error { shown = key; return errScanned },
	})
	if shown == nil {
		return nil, err
	}
	return shown, nil
}

// Compared is a host's key and its entry in known_hosts.
type Compared struct {
	Key
	Known   bool
	Revoked bool   // known_hosts marks the key, or its authority, as revoked
	Verdict string // the state in known_hosts
}

// Report has the keys that a host shows, compared with known_hosts.
type Report struct {
	Name    string // the host's name in known_hosts
	Shown   []Compared
	Missing []Key // in known_hosts, and not shown by the host
}

// Look requests the keys of a host, each over its own connection, and compares them with
// known_hosts. It does not trust the keys.
func (k *Known) Look(
	address string, o sshroute.Options, timeout time.Duration, dial func() (net.Conn, error),
) (Report, error) {
	name := lookups(address, o.Alias)[0]
	out := Report{Name: name}
	keys, err := scan(address, timeout, dial)
	if err != nil {
		return out, err
	}
	o.Algorithms.HostKeys = nil
	_, judge, err := k.Check(address, o)
	if err != nil {
		return out, err
	}
	for _, key := range keys {
		compared := compare(shownKey(key, name), judge(address, nowhere, key))
		if !compared.Known && slices.ContainsFunc(keys, func(other ssh.PublicKey) bool {
			return isCertificate(other) && bytes.Equal(bareKey(other).Marshal(), key.Marshal()) && judge(address, nowhere, other) == nil
		}) {
			compared.Known, compared.Verdict = true, "known_hosts has the authority of its certificate"
		}
		out.Shown = append(out.Shown, compared)
	}
	out.Missing = k.missing(name, keys)
	return out, nil
}

// compare compares a key with known_hosts.
func compare(key Key, err error) Compared {
	compared := Compared{Key: key, Known: true, Verdict: "known_hosts has it"}
	switch {
	case err != nil:
		compared.Known, compared.Verdict = false, err.Error()
		compared.Revoked = errors.As(err, new(revokedError))
	case key.Authority != "":
		compared.Verdict = "known_hosts has its certificate authority"
	}
	return compared
}

// missing are the keys in known_hosts that the host does not show.
func (k *Known) missing(name string, shown []ssh.PublicKey) []Key {
	db, _, err := k.current()
	if err != nil {
		return nil
	}
	var out []Key
	for _, known := range db.HostKeys(name) {
		same := func(key ssh.PublicKey) bool { return bytes.Equal(bareKey(key).Marshal(), known.Marshal()) }
		if !known.Cert && !slices.ContainsFunc(shown, same) {
			out = append(out, shownKey(known.PublicKey, name))
		}
	}
	return out
}

// bareKey is a key, or the key in a certificate.
func bareKey(key ssh.PublicKey) ssh.PublicKey {
	if cert, ok := key.(*ssh.Certificate); ok {
		return cert.Key
	}
	return key
}
