package config

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"dhbot/internal/fleet"
)

func (b *builder) readState(v value) {
	o := v.object(keysOf[stateKeys]()...)
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
		b.files = append(b.files, file{value: dir, is: stateDir})
	}
	b.readKey(o, etcd.there())
	if !etcd.there() {
		return
	}
	if !archive.there() {
		etcd.warning("replicas that share a store need a shared archive once the trail is sealed", "write archive: and a directory that all replicas see")
	}
	state.Etcd = b.readEtcd(etcd.object(keysOf[etcdKeys]()...))
}

// directory parses the path of a local directory.
func (v value) directory() string {
	dir := v.text()
	if dir == "" {
		return ""
	}
	switch {
	case !filepath.IsAbs(dir):
		v.problem(fmt.Sprintf("%q is no absolute path", dir), "write it from /")
	case filepath.Clean(dir) == "/" ||
		slices.Contains([]string{"/etc", "/usr", "/var", "/var/lib", "/home", "/root", "/tmp"}, filepath.Clean(dir)):
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
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.Port() == "" || u.User != nil ||
			u.Path != "" {
			// Not quoted: it may contain a password.
			item.problem("this is no endpoint", "write https://host:2379, without user, password or path")
			continue
		}
		if u.Scheme == "http" && !loopback(u.Hostname()) {
			item.problem("votes and locks would cross the network unprotected", "write https://, and tls: {ca, cert, key}")
		}
		etcd.Endpoints = append(etcd.Endpoints, item.text())
		b.endpoints = append(b.endpoints, item)
	}
	tls := o.get("tls").object(keysOf[tlsKeys]()...)
	for _, part := range []struct {
		key string
		to  *string
		is  kind
	}{{"ca", &etcd.CAFile, plainFile}, {"cert", &etcd.CertFile, plainFile}, {"key", &etcd.KeyFile, privateKey}} {
		v := tls.get(part.key)
		if *part.to = v.text(); *part.to != "" {
			b.files = append(b.files, file{value: v, is: part.is})
		}
	}
	if (etcd.CertFile == "") != (etcd.KeyFile == "") {
		tls.problem("cert and key go together", "write both, or neither")
	}
	password := o.get("password_file")
	if password.text() != "" {
		b.files = append(b.files, file{password, secretFile, &etcd.Password})
	}
	if (etcd.User == "") != (password.text() == "") {
		o.problem("user and password_file go together", "write both, or neither")
	}
	b.guardEtcd(o, etcd)
	return etcd
}

// guardEtcd requires protection of an external etcd: TLS, and a user. On loopback, without a
// network, it only warns.
func (b *builder) guardEtcd(o object, etcd *Etcd) {
	if len(b.endpoints) == 0 {
		return // reported when they were read
	}
	say := o.problem
	if !slices.ContainsFunc(b.endpoints, func(v value) bool {
		u, err := url.Parse(v.text())
		return err != nil || !loopback(u.Hostname())
	}) {
		say = o.warning
	} else if etcd.CAFile == "" {
		o.problem("whose etcd answers cannot be told", "write tls: {ca: …}, the file of the CA that signed its members' certificates")
	}
	if etcd.User == "" && etcd.CertFile == "" {
		say("whoever reaches this etcd could write the bot's state",
			"turn its authentication on, and write user: and password_file:, or tls: {cert, key} of a user")
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// resolve returns the addresses of a host name.
type resolve func(host string) []string

// literally returns names as written.
func literally(host string) []string { return []string{strings.ToLower(host)} }

// checkStore refuses a store on a host of the fleet. The bot manages Deephaven's etcd, which must
// not hold the bot's state, and Deephaven requires its servers for itself (design: "two etcds,
// never confused").
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
			continue // reported when it was read
		}
		for _, address := range lookup(u.Hostname()) {
			// Simulated hosts run on loopback, next to the bot's own store; there only etcd's own
			// port can be Deephaven's etcd.
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

// keyName is the default name of the state's key, next to the config.
const keyName = "state.key"

// readNotes reads the directory of the notes of sent steps.
func (b *builder) readNotes(v value) {
	state := &b.config.State
	state.NotesDir = v.directory()
	for _, dir := range []string{state.Dir, state.Archive} {
		if state.NotesDir != "" && dir != "" && strings.HasPrefix(state.NotesDir+"/", dir+"/") {
			v.problem("the notes of what was sent would lie in "+dir+", and be put back to an earlier time with it",
				"write a directory outside of it, such as /var/lib/dhbot-notes")
		}
	}
}

// readKey reads the key file of the state, and the witnesses of its heads.
func (b *builder) readKey(o object, external bool) {
	state := &b.config.State
	key := o.get("key_file")
	if external && !key.there() {
		o.warning("replicas that share a store sign it with one key; the bot does not start without it", "write key_file: and the path of a file that `bot state key` made, the same for every replica")
	}
	state.KeyFile = filepath.Join(b.dir, keyName)
	if key.there() {
		state.KeyFile = key.text()
		if !filepath.IsAbs(state.KeyFile) {
			state.KeyFile = filepath.Join(b.dir, state.KeyFile)
		}
	}
	for _, dir := range []string{state.Dir, state.Archive} {
		if dir != "" && strings.HasPrefix(filepath.Clean(state.KeyFile)+"/", dir+"/") {
			o.problem("the key of the state would lie in "+dir+", and in every backup of it: who has both can make the bot act", "write key_file: and a path outside of it, such as /etc/dhbot/state.key")
		}
	}
	b.readNotes(o.get("notes_dir"))
	for _, w := range o.get("witnesses").texts() {
		name := w.text()
		u, err := url.Parse(name)
		switch {
		case err == nil && u.Scheme == "https" && u.Host != "", err == nil && u.Scheme == "http" && loopback(u.Hostname()):
		case strings.HasPrefix(name, "http:"):
			w.problem("heads would cross the network unprotected", "write https://")
		case !filepath.IsAbs(name):
			w.problem(fmt.Sprintf("%q is no witness", name), "write the absolute path of a file, on another mount than the state, or an https:// address")
		}
		state.Witnesses = append(state.Witnesses, name)
	}
}
