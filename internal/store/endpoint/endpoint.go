// Package endpoint has the rule for the addresses of an external etcd: which URLs the config accepts
// and the store connects to. The package is pure.
package endpoint

import (
	"errors"
	"net"
	"net/url"
)

// The errors of Check and CheckCA do not quote the URL, because it may contain a password.
var (
	ErrForm  = errors.New("this is not an endpoint")
	ErrPlain = errors.New("votes and locks would be sent unencrypted")
	ErrCA    = errors.New("the bot cannot verify that this is its etcd")
)

// Instead has the fix for each error.
var Instead = map[error]string{
	ErrForm:  "write https://host:2379, without user, password or path",
	ErrPlain: "write https://, and tls: {ca, cert, key}",
	ErrCA:    "write tls: {ca: …}, the file of the CA that signed the certificates of the etcd members",
}

// Check returns why the bot must not connect to a URL, or nil.
func Check(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Scheme != "https" && u.Scheme != "http", u.Hostname() == "", u.Port() == "", u.User != nil,
		u.Path != "", u.RawQuery != "", u.Fragment != "":
		return ErrForm
	case u.Scheme == "http" && !Loopback(u.Hostname()):
		return ErrPlain
	default:
		return nil
	}
}

// CheckCA returns ErrCA if a URL needs the file of a CA and ca is "". An https address needs it
// even on loopback.
func CheckCA(text, ca string) error {
	if u, err := url.Parse(text); err == nil && u.Scheme == "https" && ca == "" {
		return ErrCA
	}
	return nil
}

// OnLoopback reports whether a URL is an address on this machine.
func OnLoopback(text string) bool {
	u, err := url.Parse(text)
	return err == nil && Loopback(u.Hostname())
}

// Loopback reports whether a host name or address is on this machine.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
