package sshexec

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"dhbot/internal/sshroute"
)

// hostOffer holds the algorithms that a host lists in its SSH_MSG_KEXINIT (RFC 4253, section 7.1).
type hostOffer struct {
	KeyExchanges string
	HostKeys     string
	Ciphers      string
	MACs         string
}

const (
	msgKexInit   = 20
	cookieLength = 16
	// kexInitHead is the size of what precedes the lists: packet length, padding length, type and
	// cookie.
	kexInitHead = 4 + 1 + 1 + cookieLength
)

// parseOffer parses the first bytes that a host sends: its version line, and the packet that lists
// its algorithms. The result ok is false if the bytes are incomplete.
func parseOffer(first []byte) (o hostOffer, ok bool) {
	for {
		line, rest, found := bytes.Cut(first, []byte("\n"))
		if !found {
			return o, false
		}
		first = rest
		if bytes.HasPrefix(line, []byte("SSH-")) {
			break
		}
	}
	if len(first) < kexInitHead || first[5] != msgKexInit {
		return o, false
	}
	first = first[kexInitHead:]
	var lists [6]string // kex, host keys, ciphers and MACs in both directions
	for i := range lists {
		if len(first) < 4 {
			return o, false
		}
		n := binary.BigEndian.Uint32(first)
		if uint32(len(first)-4) < n {
			return o, false
		}
		lists[i] = string(first[4 : 4+n])
		first = first[4+n:]
	}
	return hostOffer{KeyExchanges: lists[0], HostKeys: lists[1], Ciphers: lists[2], MACs: lists[4]}, true
}

// String formats all lists of the offer on one line.
func (o hostOffer) String() string {
	return fmt.Sprintf("it offers key exchange %s; host keys %s; ciphers %s; MACs %s", spaced(o.KeyExchanges), spaced(o.HostKeys), spaced(o.Ciphers), spaced(o.MACs))
}

func spaced(list string) string {
	var clean []string
	for _, name := range strings.Split(list, ",") {
		clean = append(clean, strings.Map(printable, name))
	}
	return strings.Join(clean, ", ")
}

func printable(r rune) rune {
	if r <= ' ' || r > '~' {
		return -1
	}
	return r
}

// nothingCommon explains that a host and the bot have no algorithm in common. It names the host's
// algorithms, and the setting that would allow one of them. If the bot supports none of them, it
// names algorithms that the host's sshd_config could allow.
func nothingCommon(k key, e *ssh.AlgorithmNegotiationError, first string) string {
	theirs, kind := e.RequestedAlgorithms, kindOf(e.What)
	theirs = slices.DeleteFunc(slices.Clone(theirs), isMarker)
	text := fmt.Sprintf("%s offers only %s as %s, which the bot does not ", k.address, spaced(strings.Join(theirs, ",")), e.What)
	var could []string
	for _, name := range theirs {
		if slices.Contains(sshroute.Weak(kind), name) || slices.Contains(sshroute.Default(kind), name) {
			could = append(could, name)
		}
	}
	if len(could) > 0 {
		text += fmt.Sprintf("use by default: update its sshd, or allow it for this host only with %s", setting(kind, could[0]))
	} else {
		text += fmt.Sprintf("support: allow one of %s in its sshd_config", strings.Join(firstFew(sshroute.Default(kind)), ", "))
	}
	if o, ok := parseOffer([]byte(first)); ok {
		text += "; " + o.String()
	}
	return text
}

// isMarker reports whether a name in a list of key exchanges is not an algorithm, but announces a
// feature.
func isMarker(name string) bool {
	return strings.HasPrefix(name, "kex-strict-") || strings.HasPrefix(name, "ext-info-")
}

func firstFew(names []string) []string { return names[:min(len(names), 3)] }

// kindOf translates the SSH library's name of a kind of algorithm, such as "key exchange".
func kindOf(what string) sshroute.Kind {
	switch {
	case strings.Contains(what, "key exchange"):
		return sshroute.KeyExchange
	case strings.Contains(what, "host key"):
		return sshroute.HostKey
	case strings.Contains(what, "MAC"):
		return sshroute.MAC
	default:
		return sshroute.Cipher
	}
}

// setting returns the config setting that allows one more algorithm of a kind.
func setting(kind sshroute.Kind, name string) string {
	return fmt.Sprintf("algorithms: {%s: '+%s'}", sshroute.ConfigKey(kind), name)
}
