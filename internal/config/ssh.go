package config

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"dhbot/internal/sshconfig"
	"dhbot/internal/sshroute"
	"dhbot/internal/strictyaml"
	"dhbot/internal/trusted"
)

// SSH configures the SSH client. Settings for a single host are in fleet.Host (address, login,
// jump hosts) and in Options.
type SSH struct {
	User string
	// Credentials are offered in this order.
	Credentials []sshroute.Credential
	KnownHosts  string
	// ProxyJump is the route to every host that has no jump hosts of its own, in the format of
	// sshroute.Place.Via; "" means a direct connection.
	ProxyJump string
	// Options has the settings of hosts and jump hosts that have settings of their own.
	Options map[sshroute.Place]sshroute.Options
	// Renew is the command that renews certificates, or nil if there is none.
	Renew []string
	// Handshakes is the number of concurrent logins.
	Handshakes int
}

// agentVariable is the environment variable with the path of the agent's socket. The config may
// name this variable instead of the path.
const agentVariable = "SSH_AUTH_SOCK"

// defaultHandshakes is the default number of concurrent logins.
const defaultHandshakes = 16

func (b *builder) readSSH(v strictyaml.Value) {
	o := v.Object(keysOf[sshKeys]()...)
	if !v.There() {
		return
	}
	ssh := &b.config.SSH
	ssh.Options = map[sshroute.Place]sshroute.Options{}
	ssh.User = login(o.Need("user", "write the account that the bot logs in with, such as dhops"))
	b.readRenew(o.Get("renew"))
	b.readCredentials(o)
	hosts := o.Need("known_hosts", "write the path of a known_hosts file: host keys are never trusted on first use")
	if ssh.KnownHosts = hosts.Text(); ssh.KnownHosts != "" {
		b.files = append(b.files, file{Value: hosts, is: knownHosts})
	}
	ssh.Handshakes = o.Get("handshakes").Number(1, 256, defaultHandshakes)
	b.readSSHConfig(o.Get("config_file"))
	if jump := o.Get("proxy_jump"); jump.There() && !isDirect(jump.Text()) {
		ssh.ProxyJump = b.jumps(jump, jump.Text())
	}
}

// readCredentials reads either credentials or key_file, which is the short form.
func (b *builder) readCredentials(o strictyaml.Object) {
	ssh, keys, list := &b.config.SSH, o.Get("key_file"), o.Get("credentials")
	switch {
	case keys.There() && list.There():
		list.Problem("key_file and credentials are both set", "list the key as {key_file: …} among the credentials, in the right order")
		return
	case list.There():
		for _, item := range o.NeedSome("credentials", "list the bot's credentials: [{agent: …}, {key_file: …}]").Items() {
			ssh.Credentials = append(ssh.Credentials, b.readCredential(item))
		}
		return
	}
	for _, key := range oneOrMore(o.NeedSome("key_file", "write the path of the bot's private key, or use a credentials list instead: credentials: [{agent: …}, {key_file: …}]")) {
		ssh.Credentials = append(ssh.Credentials, sshroute.Credential{KeyFile: key.Text()})
		b.files = append(b.files, file{Value: key, is: privateKey})
	}
}

func (b *builder) readCredential(v strictyaml.Value) sshroute.Credential {
	o := v.Object(keysOf[credentialKeys]()...)
	agent, key, passphrase, cert := o.Get("agent"), o.Get("key_file"), o.Get("passphrase_file"), o.Get("certificate_file")
	switch {
	case agent.There() == key.There():
		v.Problem("a credential is either an agent or a key file", "write {agent: SSH_AUTH_SOCK}, {agent: /path/of/the/socket} or {key_file: …}")
	case agent.There() && passphrase.There():
		passphrase.Problem("an agent's keys have no passphrase", "remove passphrase_file: ssh-add asks for the passphrase")
	}
	for _, f := range []file{{Value: key, is: privateKey}, {Value: passphrase, is: privateKey}, {Value: cert, is: plainFile}} {
		made := f.is == plainFile && len(b.config.SSH.Renew) > 0 // created by the renew command, at start
		if f.Text() != "" && !made {
			b.files = append(b.files, f)
		}
	}
	return sshroute.Credential{
		Agent: agent.Text(), KeyFile: key.Text(), CertificateFile: cert.Text(), PassphraseFile: passphrase.Text(),
	}
}

// readRenew reads a command as a list of words. The command runs as the bot's user, so its path
// must be absolute.
func (b *builder) readRenew(v strictyaml.Value) {
	for _, word := range v.Items() {
		b.config.SSH.Renew = append(b.config.SSH.Renew, word.Text())
	}
	if argv := b.config.SSH.Renew; v.There() && (len(argv) == 0 || !filepath.IsAbs(argv[0])) {
		v.Problem("this is not a command with an absolute path", "write the command as a list of words: [/usr/local/bin/renew-certificate, --role, dhbot]")
		return
	}
	if len(b.config.SSH.Renew) > 0 {
		b.programs = append(b.programs, v)
	}
}

// readSSHConfig reads an ssh_config file, and reports its unusable lines.
func (b *builder) readSSHConfig(v strictyaml.Value) {
	if v.Text() == "" {
		return
	}
	f, problems := sshconfig.Read(from(b.dir, v.Text()))
	b.sshConfig = f
	b.fromSSHConfig(problems)
	h := sha256.New()
	fmt.Fprintln(h, b.config.Hash)
	h.Write(f.Text)
	b.config.Hash = fmt.Sprintf("%x", h.Sum(nil))
}

func (b *builder) fromSSHConfig(problems []sshconfig.Problem) {
	for _, p := range problems {
		b.Add(strictyaml.Problem{
			File: p.File, Line: p.Line, Column: 1, Key: "ssh.config_file",
			What: p.What, Instead: p.Instead, Warning: p.Warning,
		})
	}
}

// checkPrograms reports a problem if another account could change the command that renews
// certificates, or a file that decides how hosts are reached.
func (b *builder) checkPrograms() {
	for _, v := range b.programs {
		program := b.config.SSH.Renew[0]
		if info, err := os.Stat(program); err != nil || info.IsDir() || info.Mode().Perm()&0o111 == 0 {
			v.Problem(program+" is not a program that the bot can run", "write the path of an executable program")
		} else if err := trusted.Source(program); err != nil {
			v.Problem(err.Error()+": another account could decide what the bot runs", closed)
		}
	}
	if b.sshConfig == nil {
		return
	}
	for _, path := range b.sshConfig.Files {
		if err := trusted.Source(path); err != nil {
			b.Add(strictyaml.Problem{
				File: path, Key: "ssh.config_file", What: err.Error() + ": another account could decide how hosts are reached", Instead: closed,
			})
		}
	}
}

// resolveCredential makes the paths of a credential absolute.
func resolveCredential(c sshroute.Credential, dir string) sshroute.Credential {
	if c.Agent == agentVariable {
		c.Agent = os.Getenv(agentVariable)
	}
	c.Agent = from(dir, c.Agent)
	c.KeyFile = from(dir, c.KeyFile)
	c.CertificateFile = from(dir, c.CertificateFile)
	c.PassphraseFile = from(dir, c.PassphraseFile)
	return c
}

// present returns the credentials of a place, without key files that cannot be found. Like OpenSSH,
// the bot skips a missing IdentityFile. If no credential is left, not even an agent, the place gets
// the default credentials.
func (b *builder) present(list []sshroute.Credential, dir string) []sshroute.Credential {
	var out []sshroute.Credential
	for _, c := range list {
		c = resolveCredential(c, dir)
		if _, err := os.Stat(c.KeyFile); c.Agent == "" && err != nil {
			b.Add(strictyaml.Problem{
				File: c.KeyFile, Key: "ssh.config_file", What: "this key cannot be read and is not offered: " + reason(err),
				Instead: "create the key, or remove the IdentityFile line that names it", Warning: true,
			})
			continue
		}
		out = append(out, c)
	}
	return out
}

// resolveSSH makes the paths of the SSH part absolute.
func (b *builder) resolveSSH(dir string) {
	ssh := &b.config.SSH
	for i := range ssh.Credentials {
		if ssh.Credentials[i].Agent == agentVariable && os.Getenv(agentVariable) == "" {
			b.Add(strictyaml.Problem{File: "environment", Key: agentVariable, What: "this variable is not set, and ssh.credentials names it", Instead: "start an ssh-agent and set the variable, or write the path of the agent's socket in ssh.credentials"})
		}
		ssh.Credentials[i] = resolveCredential(ssh.Credentials[i], dir)
	}
	for place, o := range ssh.Options {
		o.Credentials = b.present(o.Credentials, dir)
		ssh.Options[place] = o
	}
	ssh.KnownHosts = from(dir, ssh.KnownHosts)
}

// oneOrMore parses a text, or a list of texts.
func oneOrMore(v strictyaml.Value) []strictyaml.Value {
	if !v.There() {
		return nil
	}
	if _, text := v.Node.(*ast.StringNode); text {
		return []strictyaml.Value{v}
	}
	return v.Texts()
}

// credentialsPath is the start of a path in systemd's directory of credentials.
const credentialsPath = "$CREDENTIALS_DIRECTORY/"

// from makes a path absolute. A path that begins with credentialsPath is below systemd's
// directory of credentials. Any other relative path is below dir.
func from(dir, path string) string {
	if name, ok := strings.CutPrefix(path, credentialsPath); ok {
		return filepath.Join(os.Getenv("CREDENTIALS_DIRECTORY"), name)
	}
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
