package config

import (
	"cmp"
	"fmt"
	"net"
	"reflect"
	"strconv"
	"strings"

	"dhbot/internal/fleet"
	"dhbot/internal/sshconfig"
	"dhbot/internal/sshroute"
	"dhbot/internal/strictyaml"
)

// direct means no jump host.
const direct = "none"

// isDirect reports whether a text means no jump host, in the config or in ssh_config.
func isDirect(jump string) bool { return strings.EqualFold(strings.TrimSpace(jump), direct) }

// maxJumps is the largest number of jump hosts before a host.
const maxJumps = 8

// readRoute reads the route to a host. Settings of the host itself take precedence over
// ssh.config_file, and ssh.config_file over the settings for all hosts.
func (b *builder) readRoute(h *fleet.Host, o strictyaml.Object) {
	at := o.Need("address", "write the name or address of the host, with :port if the port is not 22")
	name, port := hostPort(at)
	login := login(o.Get("login"))
	if name == "" {
		h.Login = cmp.Or(login, b.config.SSH.User)
		return
	}
	said := b.lookUp(at, name, login)
	h.Login = cmp.Or(login, said.User, b.config.SSH.User)
	h.Address = b.addressOf(at, said, port)
	h.Via = b.config.SSH.ProxyJump
	switch jump := o.Get("proxy_jump"); {
	case jump.There() && isDirect(jump.Text()):
		h.Via = ""
	case jump.There():
		h.Via = b.jumps(jump, jump.Text())
	case isDirect(said.ProxyJump):
		h.Via = ""
	case said.ProxyJump != "":
		h.Via = b.jumps(at, said.ProxyJump)
	}
	options := b.optionsOf(at, said)
	b.readOptions(&options, o)
	b.keepOptions(sshroute.Place{Address: h.Address, Via: h.Via}, options)
}

// lookUp looks a name up in ssh.config_file.
func (b *builder) lookUp(at strictyaml.Value, name, login string) sshconfig.Host {
	if b.sshConfig == nil {
		return sshconfig.Host{HostName: strings.ToLower(name)}
	}
	said, problems := b.sshConfig.For(name, login, b.config.SSH.User)
	for i := range problems {
		if problems[i].File == "" {
			problems[i].What = name + ": " + problems[i].What
			problems[i].File = b.sshConfig.Files[0]
		}
	}
	b.fromSSHConfig(problems)
	return said
}

// addressOf is the address of a name. A port in the config takes precedence over a port in
// ssh.config_file.
func (b *builder) addressOf(at strictyaml.Value, said sshconfig.Host, port uint16) string {
	host, _, err := splitHostPort(said.HostName)
	if err != nil || host != strings.ToLower(said.HostName) && net.ParseIP(said.HostName) == nil {
		at.Problem(fmt.Sprintf("ssh.config_file resolves this name to %q, which is not an address", said.HostName), "correct HostName in that file")
		return ""
	}
	if port == 0 && said.Port != "" {
		n, err := strconv.ParseUint(said.Port, 10, 16)
		if err == nil { // otherwise it was reported when it was read
			port = uint16(n)
		}
	}
	return joinHostPort(host, port)
}

// jumps parses a chain of jump hosts, "user@host:port,…", and looks each up in ssh.config_file.
// In that file, only the first jump host may have jump hosts of its own, because the others are
// reached through the first.
func (b *builder) jumps(at strictyaml.Value, text string) string {
	hops, wrong := b.chain(at, text, 0)
	if wrong != nil {
		at.Problem(wrong.what, wrong.instead)
		return ""
	}
	return sshroute.Join(hops)
}

// wrongJumps is a problem with a chain of jump hosts.
type wrongJumps struct{ what, instead string }

func (b *builder) chain(at strictyaml.Value, text string, depth int) ([]sshroute.Hop, *wrongJumps) {
	var hops []sshroute.Hop
	for i, part := range strings.Split(text, ",") {
		login, rest, named := strings.Cut(strings.TrimPrefix(strings.TrimSpace(part), "ssh://"), "@")
		if !named {
			login, rest = "", login
		}
		name, port, err := splitHostPort(rest)
		if err != nil || isDirect(rest) || named && !loginName.MatchString(login) || !named && b.sshConfig == nil {
			return nil, &wrongJumps{fmt.Sprintf("%q is not a jump host", withoutLogin(part)),
				"write user@host or user@host:port, at most 8 separated by commas, or only none"}
		}
		said := b.lookUp(at, rawHost(rest, name), login)
		if i == 0 && said.ProxyJump != "" && !isDirect(said.ProxyJump) {
			if depth >= maxJumps {
				return nil, &wrongJumps{fmt.Sprintf("the jump hosts before %q form a loop", withoutLogin(part)),
					"correct the ProxyJump lines of ssh.config_file, so that one of these jump hosts has none"}
			}
			var wrong *wrongJumps
			if hops, wrong = b.chain(at, said.ProxyJump, depth+1); wrong != nil {
				return nil, wrong
			}
		}
		hop := sshroute.Hop{Login: cmp.Or(login, said.User, b.config.SSH.User), Address: b.addressOf(at, said, port)}
		b.keepOptions(sshroute.Place{Address: hop.Address, Via: sshroute.Join(hops)}, b.optionsOf(at, said))
		if hops = append(hops, hop); len(hops) > maxJumps {
			return nil, &wrongJumps{fmt.Sprintf("there are more than %d jump hosts", maxJumps), "choose a shorter route"}
		}
	}
	return hops, nil
}

// withoutLogin returns a jump host without its login, which may contain a password.
func withoutLogin(hop string) string {
	if i := strings.LastIndex(hop, "@"); i >= 0 {
		return "…" + hop[i:]
	}
	return hop
}

// rawHost returns a host name with the capitals as written, because ssh_config distinguishes
// them.
func rawHost(text, name string) string {
	host, _, _ := strings.Cut(text, ":")
	if strings.EqualFold(host, name) {
		return host
	}
	return name
}

// optionsOf returns the options that ssh.config_file has for a host.
func (b *builder) optionsOf(at strictyaml.Value, said sshconfig.Host) sshroute.Options {
	o := sshroute.Options{Alias: said.Alias, Credentials: credentialsOf(said)}
	for kind, s := range said.Algorithms {
		chosen, err := sshroute.Choose(kind, s.Text)
		p := strictyaml.Problem{File: s.File, Line: s.Line, Column: 1, Key: "ssh.config_file"}
		if err != nil {
			p.What, p.Instead = err.Error(), "write algorithms that the bot implements"
			b.Add(p)
			continue
		}
		if len(chosen.Weak) > 0 {
			p.What, p.Instead, p.Warning = weak(kind, chosen.Weak), updateSSHD, true
			b.Add(p)
		}
		o.Algorithms.Set(kind, chosen.List)
	}
	return o
}

const updateSSHD = "update the host's sshd, then remove this setting"

func weak(kind sshroute.Kind, names []string) string {
	return fmt.Sprintf("%s allows %s, which is insecure", kind, strings.Join(names, ", "))
}

// credentialsOf returns the credentials that ssh.config_file has for a host: the agent first, then
// the keys. It returns nil if there are none.
func credentialsOf(said sshconfig.Host) []sshroute.Credential {
	var out []sshroute.Credential
	agent := said.IdentityAgent
	if strings.EqualFold(agent, direct) {
		agent = ""
	}
	if agent != "" {
		out = append(out, sshroute.Credential{Agent: strings.TrimPrefix(agent, "$")})
	}
	for i, key := range said.IdentityFiles {
		if strings.EqualFold(key, direct) {
			continue
		}
		c := sshroute.Credential{KeyFile: key}
		if i < len(said.CertificateFiles) {
			c.CertificateFile = said.CertificateFiles[i]
		}
		out = append(out, c)
	}
	return out
}

// readOptions applies a host's own settings to its options.
func (b *builder) readOptions(to *sshroute.Options, o strictyaml.Object) {
	if keys := o.Get("key_file"); keys.There() {
		to.Credentials = nil
		for _, key := range oneOrMore(keys) {
			to.Credentials = append(to.Credentials, sshroute.Credential{KeyFile: key.Text()})
			b.files = append(b.files, file{Value: key, is: privateKey})
		}
	}
	if alias := o.Get("host_key_alias"); alias.There() {
		to.Alias = alias.Text()
	}
	algorithms := o.Get("algorithms").Object(keysOf[algorithmKeys]()...)
	for _, kind := range sshroute.Kinds() {
		v := algorithms.Get(sshroute.ConfigKey(kind))
		if !v.There() {
			continue
		}
		chosen, err := sshroute.Choose(kind, v.Text())
		if err != nil {
			v.Problem(err.Error(), "write names separated by commas, with + before the first name to add them to the default")
			continue
		}
		if len(chosen.Unknown) > 0 {
			v.Problem("the bot does not implement "+strings.Join(chosen.Unknown, ", "), "it implements "+strings.Join(append(sshroute.Default(kind), sshroute.Weak(kind)...), ", "))
		}
		if len(chosen.Weak) > 0 {
			v.Warning(weak(kind, chosen.Weak), updateSSHD)
		}
		to.Algorithms.Set(kind, chosen.List)
	}
}

// keepOptions stores the options of one place, unless they are empty.
func (b *builder) keepOptions(at sshroute.Place, o sshroute.Options) {
	if !reflect.ValueOf(o).IsZero() {
		b.config.SSH.Options[at] = o
	}
}
