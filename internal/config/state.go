package config

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"dhbot/internal/fleet"
)

func (b *builder) readSSH(v value) {
	o := v.object("user", "key_file", "known_hosts", "proxy_jump")
	if !v.there() {
		return
	}
	ssh := &b.config.SSH
	ssh.User = o.need("user", "write the account that the bot logs in with, such as dhops").user()
	keys := o.needSome("key_file", "write the path of the bot's private key")
	for _, key := range keys.oneOrMore() {
		ssh.KeyFiles = append(ssh.KeyFiles, key.text())
		b.files = append(b.files, file{key, privateKey})
	}
	hosts := o.need("known_hosts", "write the path of a known_hosts file: host keys are never trusted on first use")
	if ssh.KnownHosts = hosts.text(); ssh.KnownHosts != "" {
		b.files = append(b.files, file{hosts, knownHosts})
	}
	if jump := o.get("proxy_jump"); jump.there() {
		ssh.ProxyJump = jump.userHostPort()
	}
}

// oneOrMore reads a text, or a list of texts.
func (v value) oneOrMore() []value {
	if !v.there() {
		return nil
	}
	if _, text := v.node.(*ast.StringNode); text {
		return []value{v}
	}
	return v.texts()
}

// userHostPort reads "user@host:port".
func (v value) userHostPort() string {
	user, at, found := strings.Cut(v.text(), "@")
	host, port, err := splitHostPort(at)
	if !found || err != nil || !login.MatchString(user) {
		v.problem(fmt.Sprintf("%q is no host to jump through", v.text()), "write user@host or user@host:port")
		return ""
	}
	return user + "@" + joinHostPort(host, port)
}

func (b *builder) readState(v value) {
	o := v.object("dir", "etcd", "archive")
	if !v.there() {
		return
	}
	state := &b.config.State
	etcd, archive := o.get("etcd"), o.get("archive")
	dir := o.get("dir")
	if !etcd.there() {
		dir = o.need("dir", "write a directory of the bot's own, such as /var/lib/dhbot")
	}
	state.Dir = dir.directory()
	state.Archive = archive.directory()
	if state.Archive != "" && state.Archive == state.Dir {
		archive.problem("the archive cannot be the state directory itself", "write a directory beside it")
	}
	if state.Dir != "" {
		b.files = append(b.files, file{dir, stateDir})
	}
	if !etcd.there() {
		return
	}
	if !archive.there() {
		etcd.warning("replicas that share a store need a shared archive once the trail is sealed", "write archive: and a directory that all replicas see")
	}
	state.Etcd = b.readEtcd(etcd.object("endpoints", "tls", "user", "password_file"))
}

// directory reads the path of a directory here.
func (v value) directory() string {
	dir := v.text()
	if dir == "" {
		return ""
	}
	switch {
	case !filepath.IsAbs(dir):
		v.problem(fmt.Sprintf("%q is no absolute path", dir), "write it from /")
	case filepath.Clean(dir) == "/" || slices.Contains([]string{"/etc", "/usr", "/var", "/var/lib", "/home", "/root", "/tmp"}, filepath.Clean(dir)):
		v.problem(dir+" belongs to the system", "write a directory of the bot's own, such as /var/lib/dhbot")
	default:
		for _, fleeting := range []string{"/tmp/", "/var/tmp/", "/run/", "/dev/shm/"} {
			if strings.HasPrefix(filepath.Clean(dir)+"/", fleeting) {
				v.warning(dir+" may be emptied at any time, and the trail with it", "write a directory that lasts, such as /var/lib/dhbot")
			}
		}
	}
	return filepath.Clean(dir)
}

func (b *builder) readEtcd(o object) *Etcd {
	etcd := &Etcd{User: o.get("user").text()}
	for _, item := range o.needSome("endpoints", "list the URLs of an etcd of the bot's own: [https://…:2379]").texts() {
		u, err := url.Parse(item.text())
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.Port() == "" || u.User != nil || u.Path != "" {
			// Not quoted: it may hold a password.
			item.problem("this is no endpoint", "write https://host:2379, without user, password or path")
			continue
		}
		if u.Scheme == "http" && !loopback(u.Hostname()) {
			item.problem("votes and locks would cross the network unprotected", "write https://, and tls: {ca, cert, key}")
		}
		etcd.Endpoints = append(etcd.Endpoints, item.text())
		b.endpoints = append(b.endpoints, item)
	}
	tls := o.get("tls").object("ca", "cert", "key")
	for _, part := range []struct {
		key string
		to  *string
		is  kind
	}{{"ca", &etcd.CAFile, plainFile}, {"cert", &etcd.CertFile, plainFile}, {"key", &etcd.KeyFile, privateKey}} {
		v := tls.get(part.key)
		if *part.to = v.text(); *part.to != "" {
			b.files = append(b.files, file{v, part.is})
		}
	}
	if (etcd.CertFile == "") != (etcd.KeyFile == "") {
		tls.problem("cert and key go together", "write both, or neither")
	}
	password := o.get("password_file")
	if password.text() != "" {
		b.files = append(b.files, file{password, passwordFile})
	}
	if (etcd.User == "") != (password.text() == "") {
		o.problem("user and password_file go together", "write both, or neither")
	}
	return etcd
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// resolve gives the addresses of a host name.
type resolve func(host string) []string

// literally takes names as they are written.
func literally(host string) []string { return []string{strings.ToLower(host)} }

// checkStore refuses a store that lives on a host of the fleet: Deephaven's
// etcd is a patient, and Deephaven wants it, and its servers, for itself alone
// (design: "two etcds, never confused").
func (b *builder) checkStore(lookup resolve) {
	fleetHosts := map[string]string{}
	for _, cluster := range b.config.Fleet.Clusters {
		for _, h := range cluster.Hosts {
			for _, address := range addressesOf(h, lookup) {
				fleetHosts[address] = h.Name
			}
		}
	}
	for _, v := range b.endpoints {
		u, err := url.Parse(v.text())
		if err != nil {
			continue // reported where it was read
		}
		for _, address := range lookup(u.Hostname()) {
			// On loopback live simulated hosts, beside a store of ours; there
			// only etcd's own port can be a patient.
			name, on := fleetHosts[address]
			if !on || loopback(address) && u.Port() != "2379" {
				continue
			}
			v.problem("this etcd lives on "+name+", a host of the fleet: Deephaven's etcd is for Deephaven alone, and the bot must not depend on what it repairs",
				"use an etcd of the bot's own on other machines, or leave out etcd: for the embedded store")
			break
		}
	}
}

func addressesOf(h fleet.Host, lookup resolve) []string {
	host, _, err := net.SplitHostPort(h.Address)
	if err != nil {
		return nil
	}
	return lookup(host)
}
