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
	"dhbot/internal/strictyaml"
	"dhbot/runbooks/catalogs"
)

// Config is a config file that was read and checked.
type Config struct {
	Slack Slack
	State State
	SSH   SSH
	Fleet fleet.Fleet
	Rules auth.Rules
	// Keys has the public keys that identify a person at a terminal, by the person's name. No
	// key belongs to two people.
	Keys map[string][]sshkey.Key
	// VoteTTL is how long a request waits for its votes. StartTTL is how long an approved run
	// may wait to start.
	VoteTTL, StartTTL time.Duration
	// Runbooks is the directory of the site's own runbooks, or "" if there is none.
	Runbooks string
	// Lowered has one line for each requirement that the site's own runbooks lower.
	Lowered []string
	// Terminal configures commands in a shell on the bot's own machine.
	Terminal Terminal
	Metrics  Metrics
	// Watches has the clusters with background monitoring, by name.
	Watches map[string]Watch
	// Escalations has the people and the pager to notify when no one responds, by cluster.
	Escalations map[string]Escalation
	// Incidents has the limits beyond which an observation is an incident.
	Incidents Incidents
	// Catalogs are the built-in catalogs, merged with the runbooks in the directory Runbooks.
	Catalogs catalogs.Set
	// Hash is a SHA-256, in hex, over the file, the site's own runbooks and the ssh_config file.
	// Replicas compare it.
	Hash string
}

// Slack configures the workspace.
type Slack struct {
	AppToken secret.Text // SLACK_APP_TOKEN, xapp-…: opens the sockets
	BotToken secret.Text // SLACK_BOT_TOKEN, xoxb-…: calls the Web API
	// AuditChannel is the channel for the trail.
	AuditChannel string
	// Channels maps channel ids to clusters.
	Channels map[string]string
}

// State configures the storage of the bot's state.
type State struct {
	// Dir is the bot's own directory, with mode 0700. It contains the control socket and, if
	// Etcd is nil, the embedded store. With Etcd, Dir may be "", and then there is no control
	// socket.
	Dir string
	// Etcd is an external etcd cluster that only the bot uses. Several replicas need it.
	Etcd *Etcd
	// Archive is the directory for sealed segments of the trail. "" means the directory archive
	// in Dir or, with Etcd, that the segments stay in etcd.
	Archive string
	// KeyFile is the file of the key that signs the state. It is outside Dir and outside every
	// backup of Dir.
	KeyFile string
	// NotesDir is the directory in which the bot notes the steps that it sent. If it is "", the
	// bot uses the directory of KeyFile.
	NotesDir string
	// Witnesses are paths and addresses that keep the heads of the trail, in addition to the file
	// of heads in NotesDir.
	Witnesses []string
}

// Etcd is an external etcd cluster, never Deephaven's own.
type Etcd struct {
	Endpoints                 []string // URLs
	CAFile, CertFile, KeyFile string   // PEM files
	User                      string
	Password                  secret.Text // content of password_file, read by Load
}

// Defaults of the policy (docs/roles.md).
const (
	defaultVoteTTL  = 15 * time.Minute
	defaultStartTTL = 2 * time.Minute
)

// Parse parses a config, and the runbooks and ssh_config files that it names. It reads no other
// file, no secret and no network. The argument name is the path of the file. Problems show this
// path, and relative paths in the file start at its directory. The config is complete only if no
// problem is fatal.
func Parse(name string, data []byte) (*Config, strictyaml.Problems) {
	b := build(name, data)
	b.Problems.Sort()
	return &b.config, b.Problems
}

// builder builds a Config from a file.
type builder struct {
	strictyaml.Reader
	dir      string // the directory of the config file
	config   Config
	catalogs catalogs.Set // nil if they cannot be used
	own      files
	// files and endpoints are named in the config. Only Load can check them.
	files     []file
	endpoints []strictyaml.Value
	stateKey  strictyaml.Value // of state.key_file
	groups    []strictyaml.Value
	programs  []strictyaml.Value
	sshConfig *sshconfig.File // nil without ssh.config_file
	watched   []watched
}

func build(name string, data []byte) *builder {
	sum := sha256.Sum256(data)
	b := &builder{
		Reader: strictyaml.Reader{File: name, Example: "config.example.yaml"},
		dir:    filepath.Dir(name),
		config: Config{Hash: hex.EncodeToString(sum[:]), VoteTTL: defaultVoteTTL, StartTTL: defaultStartTTL},
	}
	top := b.Parse(data)
	if !top.There() {
		return b
	}
	o := top.Object(keysOf[fileKeys]()...)
	b.catalogs = b.ownRunbooks(o.Get("runbooks"))
	b.readLowered(o.Get("lowered"))
	b.config.Catalogs = b.catalogs
	slack := o.Need("slack", "name the workspace: {home: T…, audit_channel: C…}").Object(keysOf[slackKeys]()...)
	b.readWorkspace(slack)
	b.readState(o.Need("state", "say where the bot keeps its state: {dir: /var/lib/dhbot}"))
	b.readTerminal(o.Get("terminal"))
	b.readMetrics(o.Get("metrics"))
	b.readSSH(o.Need("ssh", "say how hosts are reached: {user: …, key_file: …, known_hosts: …}"))
	b.readPolicy(o.Get("policy"))
	b.readIncidents(o.Get("incidents"))
	people := o.NeedSome("people", "name at least one person, with a Slack account")
	b.readPeople(people)
	b.readHome(slack, people)
	b.readClusters(o.NeedSome("clusters", "name at least one cluster"))
	b.readChannels(slack.Get("channels"))
	b.checkWatches()
	b.checkStore(literally)
	return b
}

// readPolicy reads the policy, which can only raise the floors of package auth.
func (b *builder) readPolicy(v strictyaml.Value) {
	c := &b.config
	c.Rules.Policy = auth.Policy{Sev1Votes: 1, DestructiveVotes: 2}
	o := v.Object(keysOf[policyKeys]()...)
	sev1 := o.Get("sev1").Object(keysOf[sev1Keys]()...)
	c.Rules.Policy.Sev1Votes = sev1.Get("votes").Number(1, 5, 1)
	c.VoteTTL = sev1.Get("ttl").Duration(time.Minute, 24*time.Hour, defaultVoteTTL)
	c.StartTTL = sev1.Get("start").Duration(30*time.Second, time.Hour, defaultStartTTL)
	c.Rules.Policy.DestructiveVotes = o.Get("destructive").Object(keysOf[destructiveKeys]()...).Get("votes").Number(2, 5, 2)
}
