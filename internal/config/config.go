// Package config reads the one config file, and the secrets that are never in
// it, and checks them against the catalogs: every problem in one go, each with
// its line, what is wrong and what to write instead. The commented example is
// config.example.yaml at the top of the repository.
package config

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"time"

	"dhbot/auth"
	"dhbot/internal/fleet"
	"dhbot/internal/secret"
	"dhbot/internal/sshconfig"
	"dhbot/internal/sshkey"
	"dhbot/runbooks/catalogs"
)

// Config is a config file that has been read and checked.
type Config struct {
	Slack Slack
	State State
	SSH   SSH
	Fleet fleet.Fleet
	Rules auth.Rules
	// Keys are, by person, the public keys with which they prove who they are
	// at a terminal. No key is two people's.
	Keys map[string][]sshkey.Key
	// VoteTTL is how long a request waits for its votes, StartTTL how long an
	// approved run may wait to start.
	VoteTTL, StartTTL time.Duration
	// Runbooks is the directory of runbooks of one's own, "" for none.
	Runbooks string
	// Lowered says, a line each, where they take less than they would.
	Lowered []string
	// Terminal is where people type commands on the bot's own machine.
	Terminal Terminal
	Metrics  Metrics
	// Watches are, by name, the clusters that are watched in the background.
	Watches map[string]Watch
	// Escalations are, by cluster, who is called when no one takes something.
	Escalations map[string]Escalation
	// Incidents say from when on what is observed is an incident.
	Incidents Incidents
	// Catalogs are what the binary carries, with Runbooks laid over it.
	Catalogs catalogs.Set
	// Hash is the SHA-256 in hex of the file and of the runbooks of one's
	// own: replicas agree on one config.
	Hash string
}

// Slack is the workspace.
type Slack struct {
	AppToken secret.Text // SLACK_APP_TOKEN, xapp-…: opens the sockets
	BotToken secret.Text // SLACK_BOT_TOKEN, xoxb-…: calls the Web API
	// AuditChannel is where the trail is posted.
	AuditChannel string
	// Channels binds channels to clusters, by channel id.
	Channels map[string]string
}

// State is where the bot keeps its own state.
type State struct {
	// Dir is a directory of the bot's own, mode 0700: the embedded store
	// where Etcd is nil, and the control socket. Beside an Etcd it may be "",
	// and then there is no control socket.
	Dir string
	// Etcd is an external cluster of the bot's own, for several replicas.
	Etcd *Etcd
	// Archive is where sealed segments of the trail go; "" keeps them in Dir.
	Archive string
	// KeyFile signs the state; it lies outside of Dir and of every backup.
	KeyFile string
	// NotesDir is where the notes of what was sent lie; "" is beside the key.
	NotesDir string
	// Witnesses keep the heads of the trail, besides the file next to the key:
	// paths and addresses.
	Witnesses []string
}

// Etcd is an external etcd cluster. It is never Deephaven's.
type Etcd struct {
	Endpoints                 []string // URLs
	CAFile, CertFile, KeyFile string   // PEM files
	User                      string
	Password                  secret.Text // the text of password_file, read by Load
}

// Defaults of the policy (design: "second approver").
const (
	defaultVoteTTL  = 15 * time.Minute
	defaultStartTTL = 2 * time.Minute
)

// Parse reads a config, and the runbooks that it names, and looks at nothing
// else: no other file, no environment, no network. name stands in the
// problems, and the file's relative paths are taken from its directory. The
// config is whole only when no problem is fatal.
func Parse(name string, data []byte) (*Config, Problems) {
	b := build(name, data)
	b.problems.sort()
	return &b.config, b.problems
}

// builder makes a Config of a file.
type builder struct {
	reader
	dir      string // of the file
	config   Config
	catalogs catalogs.Set // nil where they cannot be used
	own      files
	// files and endpoints are what the text names and only a look at the
	// world can check; see Load.
	files     []file
	endpoints []value
	groups    []value
	programs  []value
	sshConfig *sshconfig.File // nil without ssh.config_file
	watched   []watched
}

func build(name string, data []byte) *builder {
	sum := sha256.Sum256(data)
	b := &builder{
		reader: reader{file: name},
		dir:    filepath.Dir(name),
		config: Config{Hash: hex.EncodeToString(sum[:]), VoteTTL: defaultVoteTTL, StartTTL: defaultStartTTL},
	}
	top := b.parse(data)
	if !top.there() {
		return b
	}
	o := top.object(keysOf[fileKeys]()...)
	b.catalogs = b.ownRunbooks(o.get("runbooks"))
	b.readLowered(o.get("lowered"))
	b.config.Catalogs = b.catalogs
	slack := o.need("slack", "name the workspace: {home: T…, audit_channel: C…}").object(keysOf[slackKeys]()...)
	b.readWorkspace(slack)
	b.readState(o.need("state", "say where the bot keeps its state: {dir: /var/lib/dhbot}"))
	b.readTerminal(o.get("terminal"))
	b.readMetrics(o.get("metrics"))
	b.readSSH(o.need("ssh", "say how hosts are reached: {user: …, key_file: …, known_hosts: …}"))
	b.readPolicy(o.get("policy"))
	b.readIncidents(o.get("incidents"))
	people := o.needSome("people", "name at least one person, with a Slack account")
	b.readPeople(people)
	b.readHome(slack, people)
	b.readClusters(o.needSome("clusters", "name at least one cluster"))
	b.readChannels(slack.get("channels"))
	b.checkWatches()
	b.checkStore(literally)
	return b
}

// readPolicy reads what only adds to the floors of package auth.
func (b *builder) readPolicy(v value) {
	c := &b.config
	c.Rules.Policy = auth.Policy{Sev1Votes: 1, DestructiveVotes: 2}
	o := v.object(keysOf[policyKeys]()...)
	sev1 := o.get("sev1").object(keysOf[sev1Keys]()...)
	c.Rules.Policy.Sev1Votes = sev1.get("votes").number(1, 5, 1)
	c.VoteTTL = sev1.get("ttl").duration(time.Minute, 24*time.Hour, defaultVoteTTL)
	c.StartTTL = sev1.get("start").duration(30*time.Second, time.Hour, defaultStartTTL)
	c.Rules.Policy.DestructiveVotes = o.get("destructive").object(keysOf[destructiveKeys]()...).get("votes").number(2, 5, 2)
}
