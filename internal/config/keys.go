package config

import (
	"reflect"
	"strings"
)

// The types of this file are the shape of the config file: the parser takes
// the keys that it knows from them, and the JSON Schema and the reference of
// docs/config.md are made of them and their comments. A tag says:
//
//	key:"name"            the key; with ",required" it must be there
//	default:"30s"         what counts without the key
//	example:"…"           what one may write
//	enum:"etcd,mysql"     the values there are
//	type:"duration"       what the text is, where that is not plain text
type (
	fileKeys struct {
		// The Slack workspace.
		Slack slackKeys `key:"slack,required"`
		// Where the bot keeps its own state.
		State stateKeys `key:"state,required"`
		// How hosts are reached.
		SSH sshKeys `key:"ssh,required"`
		// The people who may do anything at all, by a name of yours. A person is one
		// human being with all of their accounts: a requester never approves,
		// whichever account they use.
		People map[string]personKeys `key:"people,required" example:"anna"`
		// The Deephaven installations, by a name of yours.
		Clusters map[string]clusterKeys `key:"clusters,required" example:"prod"`
		// A directory of your own runbooks, whose *.yaml files add processes and
		// procedures to the catalogs or change them. Only its owner may write there.
		Runbooks string `key:"runbooks" example:"/etc/dhbot/runbooks" type:"path"`
		// Where your own runbooks may take less than the catalogs or their own
		// commands do: a lower class or level. `bot check` prints each.
		Lowered []loweredKeys `key:"lowered"`
		// How many approvals it takes, and how long they are waited for.
		Policy policyKeys `key:"policy"`
		// From when on what is observed is an incident.
		Incidents incidentKeys `key:"incidents"`
		// Commands in a shell on the bot's machine, for when Slack is down.
		Terminal terminalKeys `key:"terminal"`
		// The HTTP listener for Prometheus and for probes. It has no login: keep it
		// on loopback, or on a network that only the monitoring reaches.
		Metrics metricsKeys `key:"metrics"`
	}
	loweredKeys struct {
		// The catalog that the runbook changes.
		Catalog string `key:"catalog,required" example:"current"`
		// The process whose level is lowered; or action.
		Process string `key:"process" example:"status_dashboard"`
		// The action whose class or level is lowered.
		Action string `key:"action" example:"feed-check"`
		// The class that the runbook gives it.
		Class string `key:"class" enum:"read,sensitive,writes,disruptive" example:"read"`
		// The level that the runbook gives it.
		Level int `key:"level" example:"3"`
		// Why, for the next reader of the config.
		Because string `key:"because,required" example:"the script only reads"`
	}
	slackKeys struct {
		// The team (T…) or, in an Enterprise Grid, the organisation (E…) whose full
		// members may use the bot. Guests and other organisations never can.
		Home string `key:"home" example:"T0EXAMPLE"`
		// The same as a list, as configs of v0.1 have it.
		HomeTeams []string `key:"home_teams" example:"[T0EXAMPLE]"`
		// The channel that gets one line for everything that happened.
		AuditChannel string `key:"audit_channel,required" example:"C0AUDIT"`
		// Channels in which a name means a process of this cluster, by channel id.
		Channels map[string]string `key:"channels" example:"{C0INCIDENT: prod}"`
	}
	stateKeys struct {
		// A directory of the bot's own, mode 0700: its store and its control socket.
		// Beside etcd it holds the sockets only, and may be left out.
		Dir string `key:"dir" example:"/var/lib/dhbot" type:"path"`
		// An etcd of the bot's own instead of the embedded store, for up to four
		// replicas. Never Deephaven's.
		Etcd etcdKeys `key:"etcd"`
		// Where old parts of the trail and old runs go: archive in dir unless named
		// here. Beside etcd it must be storage that all replicas share; without it
		// everything stays in etcd.
		Archive string `key:"archive" example:"/srv/dhbot-archive" type:"path"`
		// The key that signs the state: outside dir, and in no backup of it. It is
		// made at the first start, as state.key beside the config unless named
		// here; beside etcd `bot state key` makes one, which every replica has.
		// The bot's account must be able to write its directory, where it notes
		// what it has sent.
		KeyFile string `key:"key_file" example:"/etc/dhbot/state.key" type:"path"`
		// A directory of this replica alone, outside dir and in no backup of it, for
		// those notes and the file of heads: the directory of the key unless named
		// here. It must outlast a restart, and be named where the key lies in a
		// directory that cannot be written, as in a mounted Secret.
		NotesDir string `key:"notes_dir" example:"/var/lib/dhbot-notes" type:"path"`
		// Who keeps the signed heads of the trail, besides a file next to the key:
		// paths of files on other mounts, and https addresses that take them with
		// POST and give the last with GET.
		Witnesses []string `key:"witnesses" example:"[/mnt/witness/dhbot.heads]"`
	}
	etcdKeys struct {
		// URLs of its members.
		Endpoints []string `key:"endpoints,required" example:"[https://state-1.example.com:2379]"`
		// PEM files.
		TLS tlsKeys `key:"tls"`
		// The user, where etcd has authentication on.
		User string `key:"user" example:"dhbot"`
		// A file with the user's password, mode 0600.
		PasswordFile string `key:"password_file" example:"/etc/dhbot/etcd-password" type:"path"`
	}
	tlsKeys struct {
		// The certificate authority of the members.
		CA string `key:"ca" example:"/etc/dhbot/etcd-ca.pem" type:"path"`
		// The bot's own certificate.
		Cert string `key:"cert" example:"/etc/dhbot/etcd.pem" type:"path"`
		// Its private key, mode 0600.
		Key string `key:"key" example:"/etc/dhbot/etcd-key.pem" type:"path"`
	}
	sshKeys struct {
		// The account that the bot logs in with; sudo rules on the hosts name it.
		User string `key:"user,required" example:"dhops"`
		// Its private key without passphrase, mode 0600; or a list of them. A
		// certificate beside it (KEY-cert.pub) is offered first.
		KeyFile []string `key:"key_file" example:"/etc/dhbot/id_ed25519" type:"path,oneOrMore"`
		// What the bot logs in with, offered in this order; instead of key_file.
		Credentials []credentialKeys `key:"credentials"`
		// A command that renews user certificates, word by word: run as the bot an
		// hour before one expires (or in the last third of a shorter life). What it
		// prints is thrown away.
		Renew []string `key:"renew" example:"[/usr/local/bin/renew-certificate, --role, dhbot]"`
		// Host keys, as OpenSSH keeps them. They are never trusted on first use.
		KnownHosts string `key:"known_hosts,required" example:"/etc/dhbot/known_hosts" type:"path"`
		// An ssh_config file: HostName, Port, User, ProxyJump, keys, HostKeyAlias and
		// algorithms of hosts and jump hosts. A host's own keys come before it.
		ConfigFile string `key:"config_file" example:"/etc/dhbot/ssh_config" type:"path"`
		// Jump hosts of all hosts that name none, as user@host or user@host:port;
		// several separated by commas, the first one first.
		ProxyJump string `key:"proxy_jump" example:"dhops@bastion.example.com:22"`
		// How many hosts are logged in to at a time.
		Handshakes int `key:"handshakes" default:"16"`
	}
	credentialKeys struct {
		// The socket of an ssh-agent; SSH_AUTH_SOCK stands for what that names.
		Agent string `key:"agent" example:"/run/dhbot/agent.sock" type:"path"`
		// A private key, mode 0600. $CREDENTIALS_DIRECTORY/NAME is a credential of
		// systemd.
		KeyFile string `key:"key_file" example:"/etc/dhbot/id_ed25519" type:"path"`
		// A file with the key's passphrase, mode 0600.
		PassphraseFile string `key:"passphrase_file" example:"$CREDENTIALS_DIRECTORY/passphrase" type:"path"`
		// The user certificate: KEY-cert.pub unless named here. With an agent it
		// selects the agent's key.
		CertificateFile string `key:"certificate_file" example:"/etc/dhbot/id_ed25519-cert.pub" type:"path"`
	}
	algorithmKeys struct {
		// Key exchanges.
		Kex string `key:"kex" example:"+diffie-hellman-group14-sha1"`
		// Ciphers.
		Ciphers string `key:"ciphers" example:"+aes128-cbc"`
		// Message authentication codes.
		MACs string `key:"macs" example:"hmac-sha2-256"`
		// Types of host keys.
		HostKeys string `key:"host_keys" example:"+ssh-rsa"`
		// Types of signatures with our keys.
		PublicKeys string `key:"public_keys" example:"ssh-rsa"`
	}
	personKeys struct {
		// Slack accounts, as team/member id.
		Slack []string `key:"slack" example:"[T0EXAMPLE/U0ANNA]"`
		// Public SSH keys with which the person proves who they are at a terminal.
		Keys []string `key:"keys" example:"['ssh-ed25519 AAAAC3… anna@laptop']"`
	}
	clusterKeys struct {
		// The Deephaven generation.
		Catalog string `key:"catalog,required" enum:"current,legacy-20200121"`
		// Where the access control lists live.
		ACLs string `key:"acls" default:"etcd" enum:"etcd,mysql"`
		// What the database file of a dh-etcd member may grow to
		// (quota-backend-bytes). Members of etcd 3.6 and newer report it
		// themselves; without either, etcd's own default of 2 GiB counts.
		EtcdQuota string `key:"etcd_quota" example:"8GiB"`
		// Who may do what. An empty or missing list allows no one.
		Roles rolesKeys `key:"roles,required"`
		// Whom a new request calls by name; without it all approvers. It changes
		// nothing about who may approve.
		Call callKeys `key:"call"`
		// Its machines, by a name of yours.
		Hosts map[string]hostKeys `key:"hosts,required" example:"infra-1"`
		// When processes should be up that are not always, by process.
		Schedule map[string]scheduleKeys `key:"schedule" example:"status_dashboard"`
		// Background monitoring. Off without it.
		Watch watchKeys `key:"watch"`
		// Who is called when no one takes an incident, or approves or denies a Sev 1
		// request. Off without it.
		Escalation escalationKeys `key:"escalation"`
	}
	rolesKeys struct {
		// Status, logs and the like. "channel C…" is everybody in that channel.
		Readers []string `key:"readers" example:"[channel C0INCIDENT]"`
		// Ask for restarts and other actions.
		Operators []string `key:"operators" example:"[anna, ben]"`
		// Approve what others asked for.
		Approvers []string `key:"approvers" example:"[ben, chris]"`
		// See sensitive answers (etcd values, table ACLs), by direct message.
		Data []string `key:"data" example:"[chris]"`
	}
	callKeys struct {
		// Approvers whom a new request calls.
		First []string `key:"first" example:"[ben]"`
		// Approvers whom its reminders call as well.
		Next []string `key:"next" example:"[chris]"`
	}
	hostKeys struct {
		// Its name or address, or a name that ssh.config_file has; the port is 22
		// without one.
		Address string `key:"address,required" example:"10.0.0.5"`
		// What runs there, by the catalog's names (`bot catalog`).
		Processes []string `key:"processes,required" example:"[db_dis, tailer1]"`
		// The account there, where it is not ssh.user.
		Login string `key:"login" example:"dhops"`
		// Its jump hosts, where they are not ssh.proxy_jump; none for a direct
		// connection.
		ProxyJump string `key:"proxy_jump" example:"dhops@bastion-2.example.com"`
		// Our keys for it, where they are not those of ssh.
		KeyFile []string `key:"key_file" example:"/etc/dhbot/id_infra" type:"path,oneOrMore"`
		// The name under which known_hosts has it.
		HostKeyAlias string `key:"host_key_alias" example:"infra-1.internal"`
		// Algorithms for an old sshd, as ssh_config has them: a list replaces the
		// default, after + it is added to it, after - taken from it, after ^ put at
		// its head.
		Algorithms algorithmKeys `key:"algorithms"`
		// How monit is called there, word by word.
		Monit []string `key:"monit" example:"[sudo, -u, irisadmin, monit]"`
		// The version of sudo there, where it is older than 1.9.10 and reads no regular
		// expressions: commands then go through the script that bot sudoers --wrapper
		// prints.
		SudoVersion string `key:"sudo_version" example:"1.8.23"`
		// The directory of etcd's client files there.
		EtcdClientDir string `key:"etcd_client_dir" example:"/etc/sysconfig/illumon.d/etcd/client" type:"path"`
		// The etcd member whose snapshot is taken: bot sudoers allows no other.
		// Without it port 2379 of the host, or of the first one with etcd.
		EtcdEndpoint string `key:"etcd_endpoint" example:"https://infra-1.example.com:2379"`
		// The directory of the application logs there.
		LogRoot string `key:"log_root" example:"/var/log/deephaven" type:"path"`
		// The address that makes the Client Update Service of the Web API Service
		// there offer new files; without it cus-reload is a checklist.
		ClientUpdateReload string `key:"client_update_reload" example:"https://infra-1.example.com:8123/reload/"`
		// The program that prints the threads of a pid. With it a thread dump is kept
		// with a run before it stops or restarts a process, and where the process does
		// not come up in time.
		ThreadDump string `key:"thread_dump" example:"/usr/bin/jstack" type:"path"`
	}
	scheduleKeys struct {
		// Windows in which it should be up, as Alertmanager's time_intervals; [] means
		// never.
		Up []intervalKeys `key:"up,required"`
	}
	intervalKeys struct {
		// Times of day.
		Times []timesKeys `key:"times"`
		// Days of the week, and ranges of them.
		Weekdays []string `key:"weekdays" example:"['monday:friday']"`
		// Days of the month, and ranges of them; negative ones count from its end.
		DaysOfMonth []string `key:"days_of_month" example:"['1:5', '-1']"`
		// Months, and ranges of them.
		Months []string `key:"months" example:"['january:march']"`
		// Years, and ranges of them.
		Years []string `key:"years" example:"['2026:2028']"`
		// The time zone.
		Location string `key:"location" default:"UTC" example:"America/New_York"`
	}
	timesKeys struct {
		// From when.
		StartTime string `key:"start_time,required" example:"'07:00'"`
		// Until when.
		EndTime string `key:"end_time,required" example:"'19:00'"`
	}
	escalationKeys struct {
		// How long an incident may have no owner, and a Sev 1 request no approval or
		// denial.
		After string `key:"after" default:"5m" type:"duration"`
		// The people who are called then, of people.
		People []string `key:"people" example:"[chris, dana]"`
		// Or the user group of Slack that is called.
		Group string `key:"group" example:"S0ONCALL"`
		// The incidents that are escalated: of this level, and worse ones.
		Level int `key:"level" default:"1"`
		// The pager that is alerted next.
		Page pageKeys `key:"page"`
	}
	pageKeys struct {
		// When it is alerted, counted from the beginning.
		After string `key:"after" default:"10m" type:"duration"`
		// What it takes: PagerDuty's Events API v2, or Alertmanager's alerts of its
		// API v2.
		Shape string `key:"shape,required" enum:"pagerduty,alertmanager" example:"pagerduty"`
		// The whole address that alerts are sent to; PagerDuty's own unless named here.
		URL string `key:"url" example:"https://alertmanager.example.com/api/v2/alerts"`
		// A file with the address, mode 0600, where the address is a secret itself.
		URLFile string `key:"url_file" example:"/etc/dhbot/pager-url" type:"path"`
		// A file with PagerDuty's routing key, mode 0600.
		RoutingKeyFile string `key:"routing_key_file" example:"/etc/dhbot/pagerduty-key" type:"path"`
		// The certificate authority of the address, as a PEM file; the system's unless
		// named here.
		CA string `key:"ca" example:"/etc/dhbot/pager-ca.pem" type:"path"`
	}
	watchKeys struct {
		// The channel in which incidents are posted.
		Channel string `key:"channel,required" example:"C0INCIDENT"`
		// Time between two rounds.
		Every string `key:"every" default:"30s" type:"duration"`
		// How long something must have been well for its incident to end.
		Quiet string `key:"quiet" default:"2m" type:"duration"`
	}
	incidentKeys struct {
		// How many errors a minute in a log are too many: fewer are shown, and
		// are no incident.
		ErrorRate int `key:"error_rate" default:"10"`
		// For how long there must have been so many.
		ErrorsFor string `key:"errors_for" default:"5m" type:"duration"`
		// How long a process that a run of the bot stopped may stay stopped.
		OwnStop string `key:"own_stop" default:"30m" type:"duration"`
	}
	policyKeys struct {
		// What takes down a process whose outage is Sev 1.
		Sev1 sev1Keys `key:"sev1"`
		// What cannot be undone.
		Destructive destructiveKeys `key:"destructive"`
	}
	sev1Keys struct {
		// Approvals besides the requester; never fewer than 1.
		Votes int `key:"votes" default:"1"`
		// How long a request waits for its approvals.
		TTL string `key:"ttl" default:"15m" type:"duration"`
		// How long an approved run may wait to start.
		Start string `key:"start" default:"2m" type:"duration"`
	}
	destructiveKeys struct {
		// Approvals besides the requester; never fewer than 2.
		Votes int `key:"votes" default:"2"`
	}
	terminalKeys struct {
		// The socket: terminal.sock in the state directory unless named here.
		Socket string `key:"socket" example:"/run/dhbot/terminal.sock" type:"path"`
		// The group that may reach the socket besides the bot's own user, which must
		// be a member of it.
		Group string `key:"group" example:"dhops"`
		// Where runs are shown that were asked for at a terminal, in a direct message
		// or on the bot's Home tab: the audit channel unless named here.
		Channel string `key:"channel" example:"C0INCIDENT"`
	}
	metricsKeys struct {
		// host:port to listen on.
		Listen string `key:"listen,required" example:"127.0.0.1:9095"`
		// Serve Go's profiles at /debug/pprof/.
		Pprof bool `key:"pprof" default:"false"`
	}
)

// keysOf are the keys that a mapping may have.
func keysOf[T any]() []string {
	var out []string
	for f := range reflect.TypeFor[T]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("key"), ",")
		out = append(out, name)
	}
	return out
}
