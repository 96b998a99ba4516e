package config

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"dhbot/internal/fleet"
	"dhbot/internal/store/endpoint"
	"dhbot/internal/strictyaml"
)

func (b *builder) readState(v strictyaml.Value) {
	o := v.Object(keysOf[stateKeys]()...)
	if !v.There() {
		return
	}
	state := &b.config.State
	etcd, archive := o.Get("etcd"), o.Get("archive")
	dir := o.Get("dir")
	if !etcd.There() {
		dir = o.Need("dir", "set this to a directory that only the bot uses, such as /var/lib/dhbot")
	}
	state.Dir = directory(dir)
	state.Archive = directory(archive)
	if state.Archive != "" && state.Archive == state.Dir {
		archive.Problem("the archive cannot be the state directory itself", "write another directory")
	}
	if state.Dir != "" {
		b.files = append(b.files, file{Value: dir, is: stateDir})
	}
	b.readKey(o, etcd.There())
	if !etcd.There() {
		return
	}
	if !archive.There() {
		etcd.Warning("replicas that share a store also need a shared archive", "write archive: and the path of a directory that all replicas can reach")
	}
	state.Etcd = b.readEtcd(etcd.Object(keysOf[etcdKeys]()...))
}

// directory parses the path of a local directory.
func directory(v strictyaml.Value) string {
	dir := v.Text()
	if dir == "" {
		return ""
	}
	switch {
	case !filepath.IsAbs(dir):
		v.Problem(fmt.Sprintf("%q is not an absolute path", dir), "write an absolute path")
	case filepath.Clean(dir) == "/" ||
		slices.Contains([]string{"/etc", "/usr", "/var", "/var/lib", "/home", "/root", "/tmp"}, filepath.Clean(dir)):
		v.Problem(dir+" belongs to the system", "set this to a directory that only the bot uses, such as /var/lib/dhbot")
	default:
		for _, fleeting := range []string{"/tmp/", "/var/tmp/", "/run/", "/dev/shm/"} {
			if strings.HasPrefix(filepath.Clean(dir)+"/", fleeting) {
				v.Warning(dir+" may be emptied at any time, for example when the machine restarts", "set this to a directory that lasts, such as /var/lib/dhbot")
			}
		}
	}
	return filepath.Clean(dir)
}

func (b *builder) readEtcd(o strictyaml.Object) *Etcd {
	etcd := &Etcd{User: o.Get("user").Text()}
	for _, item := range o.NeedSome("endpoints", "list the URLs of an etcd of the bot's own: [https://…:2379]").Texts() {
		if err := endpoint.Check(item.Text()); err != nil {
			item.Problem(err.Error(), endpoint.Instead[err])
			continue
		}
		etcd.Endpoints = append(etcd.Endpoints, item.Text())
		b.endpoints = append(b.endpoints, item)
	}
	tls := o.Get("tls").Object(keysOf[tlsKeys]()...)
	for _, part := range []struct {
		key string
		to  *string
		is  kind
	}{{"ca", &etcd.CAFile, plainFile}, {"cert", &etcd.CertFile, plainFile}, {"key", &etcd.KeyFile, privateKey}} {
		v := tls.Get(part.key)
		if *part.to = v.Text(); *part.to != "" {
			b.files = append(b.files, file{Value: v, is: part.is})
		}
	}
	if (etcd.CertFile == "") != (etcd.KeyFile == "") {
		tls.Problem("cert and key go together", "write both, or neither")
	}
	password := o.Get("password_file")
	if password.Text() != "" {
		b.files = append(b.files, file{password, secretFile, &etcd.Password})
	}
	if (etcd.User == "") != (password.Text() == "") {
		o.Problem("user and password_file go together", "write both, or neither")
	}
	b.guardEtcd(o, etcd)
	return etcd
}

// guardEtcd requires protection of an external etcd: a CA for https, and a user or a client
// certificate. If etcd is on loopback only, guardEtcd only warns if user and certificate are missing.
func (b *builder) guardEtcd(o strictyaml.Object, etcd *Etcd) {
	say := o.Warning
	for _, text := range etcd.Endpoints {
		if err := endpoint.CheckCA(text, etcd.CAFile); err != nil {
			o.Problem(err.Error(), endpoint.Instead[err]) // once, because Problem adds no duplicates
		}
		if !endpoint.OnLoopback(text) {
			say = o.Problem
		}
	}
	if len(etcd.Endpoints) > 0 && etcd.User == "" && etcd.CertFile == "" {
		say("anyone who can connect to this etcd could change the bot's state",
			"turn on authentication in etcd, and write user: and password_file:, or tls: {cert, key} of a user")
	}
}

// resolve returns the addresses of a host name.
type resolve func(host string) []string

// literally is a resolve function without a look-up. It returns only the name itself, in lower
// case.
func literally(host string) []string { return []string{strings.ToLower(host)} }

// checkStore refuses an etcd on a host of the fleet as the bot's store. Deephaven's etcd, which
// the bot manages, must not hold the bot's state, and Deephaven requires its servers for itself
// (docs/state.md).
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
		u, err := url.Parse(v.Text())
		if err != nil {
			continue // reported when it was read
		}
		for _, address := range lookup(u.Hostname()) {
			// Simulated hosts on loopback run next to the bot's own store. So an etcd on
			// loopback counts as Deephaven's only if it has etcd's standard port.
			name, on := fleetHosts[address]
			if !on || endpoint.Loopback(address) && u.Port() != "2379" {
				continue
			}
			v.Problem("this etcd runs on "+name+", a host of the fleet: Deephaven's etcd is for Deephaven only, and the bot must not depend on hosts that it repairs",
				"use a separate etcd on other machines, or remove etcd: to use the embedded store")
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

// readNotes reads which directory holds the notes of sent steps.
func (b *builder) readNotes(v strictyaml.Value) {
	state := &b.config.State
	state.NotesDir = directory(v)
	for _, dir := range []string{state.Dir, state.Archive} {
		if state.NotesDir != "" && dir != "" && strings.HasPrefix(state.NotesDir+"/", dir+"/") {
			v.Problem("the notes of sent steps would be in "+dir+", and a restore would reset them",
				"set this to a directory outside that one, such as /var/lib/dhbot-notes")
		}
	}
}

// readKey reads the settings key_file (the path of the key that signs the state), notes_dir and
// witnesses. It does not open the key file.
func (b *builder) readKey(o strictyaml.Object, external bool) {
	state := &b.config.State
	key := o.Get("key_file")
	if external && !key.There() {
		o.Warning("replicas that share a store need the same key, and the bot does not start without it", "write key_file: and the path of the file that `bot state key FILE` made, and copy this file to every replica")
	}
	state.KeyFile = filepath.Join(b.dir, keyName)
	if key.There() {
		state.KeyFile = from(b.dir, key.Text())
		b.stateKey = key
	}
	for _, dir := range []string{state.Dir, state.Archive} {
		if dir != "" && strings.HasPrefix(filepath.Clean(state.KeyFile)+"/", dir+"/") {
			o.Problem("the key of the state would be in "+dir+", and in every backup of it: with the state and the key, an attacker could make the bot act", "write key_file: and a path outside that directory, such as /etc/dhbot/state.key")
		}
	}
	b.readNotes(o.Get("notes_dir"))
	for _, w := range o.Get("witnesses").Texts() {
		name := w.Text()
		u, err := url.Parse(name)
		switch {
		case err == nil && u.Scheme == "https" && u.Host != "", err == nil && u.Scheme == "http" && endpoint.Loopback(u.Hostname()):
		case strings.HasPrefix(name, "http:"):
			w.Problem("heads would be sent unencrypted", "write https://")
		case !filepath.IsAbs(name):
			w.Problem(strictyaml.Quote(name)+" is not a witness", "write the absolute path of a file, on another mount than the state, or an https:// address")
		}
		state.Witnesses = append(state.Witnesses, name)
	}
}
