package config

import (
	"reflect"
	"strings"
)

// The types of this file are the structure of the config file. The parser takes the known keys from
// them, and the JSON Schema and the reference docs/config.md are generated from them and their
// comments. The tags:
//
//	key:"name"            the key; with ",required" it must be there
//	default:"30s"         the default
//	example:"…"           an example
//	enum:"etcd,mysql"     the possible values
//	type:"duration"       the type, if it is not plain text
type (
	fileKeys struct {
		// The Slack workspace.
		Slack slackKeys `key:"slack,required"`
		// Where the bot stores its own state.
		State stateKeys `key:"state,required"`
		// How the bot reaches hosts.
		SSH sshKeys `key:"ssh,required"`
		// The people who may use the bot, each with a name that you choose. A person is one human
		// being with all of their accounts: a requester never approves, whichever account they use.
		People map[string]personKeys `key:"people,required" example:"anna"`
		// The Deephaven installations, each with a name that you choose.
		Clusters map[string]clusterKeys `key:"clusters,required" example:"prod"`
		// A directory of your own runbooks, whose *.yaml files add processes and
		// procedures to the catalogs or change them. Only root and the bot's
		// user may have write access to the directory.
		Runbooks string `key:"runbooks" example:"/etc/dhbot/runbooks" type:"path"`
		// Processes and actions for which your own runbooks may have a lower class or level than
		// the catalogs or their commands require. `bot check` prints each exception.
		Lowered []loweredKeys `key:"lowered"`
		// The number of approvals, and how long requests wait for them.
		Policy policyKeys `key:"policy"`
		// The limits beyond which an observation is an incident.
		Incidents incidentKeys `key:"incidents"`
		// Commands in a shell on the bot's machine, for when Slack is down.
		Terminal terminalKeys `key:"terminal"`
		// The HTTP listener for Prometheus and for health checks. There is no
		// authentication: use loopback, or a network that only your monitoring reaches.
		Metrics metricsKeys `key:"metrics"`
	}
	loweredKeys struct {
		// The catalog that the runbook changes.
		Catalog string `key:"catalog,required" example:"current"`
		// The process whose level is lowered. Write either process or action.
		Process string `key:"process" example:"status_dashboard"`
		// The action whose class or level is lowered.
		Action string `key:"action" example:"feed-check"`
		// The class that the runbook gives the action.
		Class string `key:"class" enum:"read,sensitive,writes,disruptive" example:"read"`
		// The level that the runbook gives the process or action.
		Level int `key:"level" example:"3"`
		// The reason for the exception, for the next reader of the config.
		Because string `key:"because,required" example:"the script only reads"`
	}
	slackKeys struct {
		// The team (T…) or, in an Enterprise Grid, the organisation (E…) whose full
		// members may use the bot. Guests and other organisations never can.
		Home string `key:"home" example:"T0EXAMPLE"`
		// Home organisations as a list, in configs of v0.1. Write slack.home instead.
		HomeTeams []string `key:"home_teams" example:"[T0EXAMPLE]"`
		// The channel that gets one line for each record of the audit trail.
		AuditChannel string `key:"audit_channel,required" example:"C0AUDIT"`
		// The cluster that each channel is for, by channel id. In that channel, the name of a
		// process means the process of that cluster.
		Channels map[string]string `key:"channels" example:"{C0INCIDENT: prod}"`
	}
	stateKeys struct {
		// The bot's own directory, mode 0700, for its store and its control socket. With
		// state.etcd the directory contains only sockets, and is optional.
		Dir string `key:"dir" example:"/var/lib/dhbot" type:"path"`
		// An external etcd that only the bot uses, instead of the embedded store. It allows up
		// to four replicas. Deephaven's own etcd is refused.
		Etcd etcdKeys `key:"etcd"`
		// The directory for old parts of the trail and old runs. With the embedded store the
		// default is `archive` in state.dir. With an external etcd there is no default: name
		// storage that all replicas share, or everything stays in etcd.
		Archive string `key:"archive" example:"/srv/dhbot-archive" type:"path"`
		// The file of the key that signs the state. It must be outside state.dir and its
		// backups. The default is state.key next to the config, created at the first start. With
		// state.etcd, `bot state key` creates the key, and every replica needs a copy. The bot's
		// account must be able to write to the directory of the key, for the notes of sent
		// steps.
		KeyFile string `key:"key_file" example:"/etc/dhbot/state.key" type:"path"`
		// The directory in which this replica keeps its notes of sent steps and its file of
		// heads. It must be outside state.dir and its backups, and must survive a restart.
		// Replicas must not share it. The default is the directory of state.key_file. notes_dir
		// is required if the bot cannot write to that directory, as in a mounted Secret.
		NotesDir string `key:"notes_dir" example:"/var/lib/dhbot-notes" type:"path"`
		// Witnesses that keep the signed heads of the trail, in addition to the
		// file of heads in state.notes_dir: paths of files on other mounts, and
		// https addresses that accept a head with POST and return the last one
		// with GET.
		Witnesses []string `key:"witnesses" example:"[/mnt/witness/dhbot.heads]"`
	}
	etcdKeys struct {
		// The URLs of the etcd members.
		Endpoints []string `key:"endpoints,required" example:"[https://state-1.example.com:2379]"`
		// The certificates and the key for TLS, as PEM files.
		TLS tlsKeys `key:"tls"`
		// The etcd user, if etcd has authentication.
		User string `key:"user" example:"dhbot"`
		// A file with the password of the etcd user, mode 0600.
		PasswordFile string `key:"password_file" example:"/etc/dhbot/etcd-password" type:"path"`
	}
	tlsKeys struct {
		// The certificate authority of the etcd members.
		CA string `key:"ca" example:"/etc/dhbot/etcd-ca.pem" type:"path"`
		// The client certificate of the bot.
		Cert string `key:"cert" example:"/etc/dhbot/etcd.pem" type:"path"`
		// The private key of the bot's client certificate, mode 0600.
		Key string `key:"key" example:"/etc/dhbot/etcd-key.pem" type:"path"`
	}
	sshKeys struct {
		// The account for logins on the hosts. The sudo rules of the hosts name this account.
		User string `key:"user,required" example:"dhops"`
		// The private key for logins, without passphrase, mode 0600; or a list of keys. A
		// certificate next to a key (KEY-cert.pub) is offered before the key.
		KeyFile []string `key:"key_file" example:"/etc/dhbot/id_ed25519" type:"path,oneOrMore"`
		// The credentials for logins, offered in this order. Write either credentials or
		// key_file.
		Credentials []credentialKeys `key:"credentials"`
		// A command that renews user certificates, as a list of words. The command runs as
		// the bot's user an hour before a certificate expires, or in the last third of a
		// lifetime of less than three hours. The output of the command is discarded.
		Renew []string `key:"renew" example:"[/usr/local/bin/renew-certificate, --role, dhbot]"`
		// The file of host keys, in OpenSSH's format. The bot never trusts a host key on
		// first use.
		KnownHosts string `key:"known_hosts,required" example:"/etc/dhbot/known_hosts" type:"path"`
		// An ssh_config file, from which the bot takes HostName, Port, User, ProxyJump, keys,
		// HostKeyAlias and algorithms of hosts and jump hosts. Settings of a host in the bot's
		// config take precedence over the ssh_config file.
		ConfigFile string `key:"config_file" example:"/etc/dhbot/ssh_config" type:"path"`
		// The jump hosts of all hosts that have no proxy_jump of their own, as user@host or
		// user@host:port, separated by commas, in the order of the route.
		ProxyJump string `key:"proxy_jump" example:"dhops@bastion.example.com:22"`
		// The largest number of concurrent logins.
		Handshakes int `key:"handshakes" default:"16"`
	}
	credentialKeys struct {
		// The socket of an ssh-agent. Write SSH_AUTH_SOCK to use the value of that environment
		// variable.
		Agent string `key:"agent" example:"/run/dhbot/agent.sock" type:"path"`
		// A private key, mode 0600. $CREDENTIALS_DIRECTORY/NAME is a credential that systemd
		// provides.
		KeyFile string `key:"key_file" example:"/etc/dhbot/id_ed25519" type:"path"`
		// A file with the key's passphrase, mode 0600.
		PassphraseFile string `key:"passphrase_file" example:"$CREDENTIALS_DIRECTORY/passphrase" type:"path"`
		// The user certificate. The default is KEY-cert.pub next to the key. With an agent,
		// only the key of this certificate is used.
		CertificateFile string `key:"certificate_file" example:"/etc/dhbot/id_ed25519-cert.pub" type:"path"`
	}
	algorithmKeys struct {
		// Key exchanges, like KexAlgorithms in ssh_config.
		Kex string `key:"kex" example:"+diffie-hellman-group14-sha1"`
		// Ciphers, like Ciphers in ssh_config.
		Ciphers string `key:"ciphers" example:"+aes128-cbc"`
		// Message authentication codes, like MACs in ssh_config.
		MACs string `key:"macs" example:"hmac-sha2-256"`
		// Host key types, like HostKeyAlgorithms in ssh_config.
		HostKeys string `key:"host_keys" example:"+ssh-rsa"`
		// Signature types for the bot's keys, like PubkeyAcceptedAlgorithms in ssh_config.
		PublicKeys string `key:"public_keys" example:"ssh-rsa"`
	}
	personKeys struct {
		// The Slack accounts of the person, as member ids; in configs without slack.home,
		// as TEAM/MEMBER.
		Slack []string `key:"slack" example:"[U0ANNA]"`
		// Public SSH keys that identify the person at a terminal.
		Keys []string `key:"keys" example:"['ssh-ed25519 AAAAC3… anna@laptop']"`
	}
	clusterKeys struct {
		// The Deephaven generation.
		Catalog string `key:"catalog,required" enum:"current,legacy-20200121"`
		// Where the access control lists are stored.
		ACLs string `key:"acls" default:"etcd" enum:"etcd,mysql"`
		// The largest size of a dh-etcd member's database file (quota-backend-bytes). Without it,
		// the bot uses the value that members of etcd 3.6 and newer report, or etcd's default of
		// 2 GiB.
		EtcdQuota string `key:"etcd_quota" example:"8GiB"`
		// Who may do what. An empty or missing list allows no one.
		Roles rolesKeys `key:"roles,required"`
		// The approvers that a new request mentions by name. By default a request mentions
		// all approvers. The setting does not change who may approve.
		Call callKeys `key:"call"`
		// The hosts of the cluster, each with a name that you choose.
		Hosts map[string]hostKeys `key:"hosts,required" example:"infra-1"`
		// The schedules of processes that should not always be up, by process.
		Schedule map[string]scheduleKeys `key:"schedule" example:"status_dashboard"`
		// The background monitoring of the cluster. By default it is off.
		Watch watchKeys `key:"watch"`
		// Who is notified when no one owns an incident, or approves or denies a Sev 1
		// request. By default no one is.
		Escalation escalationKeys `key:"escalation"`
	}
	rolesKeys struct {
		// People who may read: status, logs and so on. "channel C…" allows everyone in that
		// channel.
		Readers []string `key:"readers" example:"[channel C0INCIDENT]"`
		// People who may request restarts and other actions.
		Operators []string `key:"operators" example:"[anna, ben]"`
		// People who may approve requests of others.
		Approvers []string `key:"approvers" example:"[ben, chris]"`
		// People who may read sensitive answers (etcd values, table ACLs), by direct message.
		Data []string `key:"data" example:"[chris]"`
	}
	callKeys struct {
		// Approvers that a new request mentions.
		First []string `key:"first" example:"[ben]"`
		// Approvers that the reminders of a request mention, in addition to `first`.
		Next []string `key:"next" example:"[chris]"`
	}
	hostKeys struct {
		// The name or address of the host, or a name in ssh.config_file. The default port
		// is 22.
		Address string `key:"address,required" example:"10.0.0.5"`
		// The processes of the host, by their names in the catalog (`bot catalog`).
		Processes []string `key:"processes,required" example:"[db_dis, tailer1]"`
		// The account for logins on the host, if it is not ssh.user.
		Login string `key:"login" example:"dhops"`
		// The jump hosts of the host, if they are not ssh.proxy_jump; "none" means a direct
		// connection.
		ProxyJump string `key:"proxy_jump" example:"dhops@bastion-2.example.com"`
		// The private keys for the host, if they differ from ssh.key_file or ssh.credentials.
		KeyFile []string `key:"key_file" example:"/etc/dhbot/id_infra" type:"path,oneOrMore"`
		// The name of the host in known_hosts.
		HostKeyAlias string `key:"host_key_alias" example:"infra-1.internal"`
		// Algorithms for an old sshd, with the syntax of ssh_config: a list replaces the default, +
		// appends to it, - removes from it, ^ puts algorithms first.
		Algorithms algorithmKeys `key:"algorithms"`
		// The monit command of the host, as a list of words.
		Monit []string `key:"monit" example:"[sudo, -u, irisadmin, monit]"`
		// The version of sudo on the host, if it is older than 1.9.10 and so has no regular
		// expressions. Commands then go through the script that `bot sudoers --wrapper` prints.
		SudoVersion string `key:"sudo_version" example:"1.8.23"`
		// The directory of etcd's client files on the host.
		EtcdClientDir string `key:"etcd_client_dir" example:"/etc/sysconfig/illumon.d/etcd/client" type:"path"`
		// The etcd member for snapshots. The rules of `bot sudoers` allow snapshots from no
		// other member. The default is port 2379 of the host, or of the first host with etcd.
		EtcdEndpoint string `key:"etcd_endpoint" example:"https://infra-1.example.com:2379"`
		// The directory of the application logs on the host.
		LogRoot string `key:"log_root" example:"/var/log/deephaven" type:"path"`
		// The URL on the host that makes the Client Update Service of the Web API Service offer
		// new files. Without this URL, cus-reload is a checklist.
		ClientUpdateReload string `key:"client_update_reload" example:"https://infra-1.example.com:8123/reload/"`
		// The program that prints the threads of the process with a given pid. If it is set, the
		// bot saves a thread dump with the run before it stops or restarts a process, and when
		// the process does not start in time.
		ThreadDump string `key:"thread_dump" example:"/usr/bin/jstack" type:"path"`
	}
	scheduleKeys struct {
		// The windows in which the process should be up, in the format of
		// Alertmanager's time_intervals; [] means never.
		Up []intervalKeys `key:"up,required"`
	}
	intervalKeys struct {
		// Times of day.
		Times []timesKeys `key:"times"`
		// Days of the week, and ranges of them.
		Weekdays []string `key:"weekdays" example:"['monday:friday']"`
		// Days of the month, and ranges of them; negative numbers count from the end of the
		// month.
		DaysOfMonth []string `key:"days_of_month" example:"['1:5', '-1']"`
		// Months, and ranges of them.
		Months []string `key:"months" example:"['january:march']"`
		// Years, and ranges of them.
		Years []string `key:"years" example:"['2026:2028']"`
		// The time zone.
		Location string `key:"location" default:"UTC" example:"America/New_York"`
	}
	timesKeys struct {
		// The beginning of the time range, as hh:mm.
		StartTime string `key:"start_time,required" example:"'07:00'"`
		// The end of the time range, as hh:mm.
		EndTime string `key:"end_time,required" example:"'19:00'"`
	}
	escalationKeys struct {
		// How long the bot waits before it mentions people, while an incident has no owner, or a
		// Sev 1 request is neither approved nor denied.
		After string `key:"after" default:"5m" type:"duration"`
		// The people to mention, by their names in people.
		People []string `key:"people" example:"[chris, dana]"`
		// The Slack user group to mention. Write either group or people.
		Group string `key:"group" example:"S0ONCALL"`
		// The least severe level that is escalated.
		Level int `key:"level" default:"1"`
		// The pager to alert after the people were mentioned.
		Page pageKeys `key:"page"`
	}
	pageKeys struct {
		// When to alert the pager, counted from the beginning of the incident or request.
		After string `key:"after" default:"10m" type:"duration"`
		// The API of the pager: PagerDuty's Events API v2, or Alertmanager's API v2.
		Shape string `key:"shape,required" enum:"pagerduty,alertmanager" example:"pagerduty"`
		// The complete URL to which alerts are sent. The default is PagerDuty's URL.
		URL string `key:"url" example:"https://alertmanager.example.com/api/v2/alerts"`
		// A file with the URL, mode 0600, if the URL is a secret.
		URLFile string `key:"url_file" example:"/etc/dhbot/pager-url" type:"path"`
		// A file with PagerDuty's routing key, mode 0600.
		RoutingKeyFile string `key:"routing_key_file" example:"/etc/dhbot/pagerduty-key" type:"path"`
		// The certificate authority of the pager, as a PEM file. The default is the
		// system's authorities.
		CA string `key:"ca" example:"/etc/dhbot/pager-ca.pem" type:"path"`
	}
	watchKeys struct {
		// The channel for incidents.
		Channel string `key:"channel,required" example:"C0INCIDENT"`
		// The time between two rounds of checks.
		Every string `key:"every" default:"30s" type:"duration"`
		// How long all targets must have been well before an incident ends.
		Quiet string `key:"quiet" default:"2m" type:"duration"`
	}
	incidentKeys struct {
		// How many errors a minute in a log count as an incident. Fewer errors are only shown.
		ErrorRate int `key:"error_rate" default:"10"`
		// How long a log must have `error_rate` errors a minute before they count as an
		// incident.
		ErrorsFor string `key:"errors_for" default:"5m" type:"duration"`
		// How long a process that the bot stopped in a run may stay down, before this
		// counts as an incident.
		OwnStop string `key:"own_stop" default:"30m" type:"duration"`
	}
	policyKeys struct {
		// Approvals and time limits for actions that stop a process whose outage is Sev 1.
		Sev1 sev1Keys `key:"sev1"`
		// Approvals and time limits for actions that cannot be undone.
		Destructive destructiveKeys `key:"destructive"`
	}
	sev1Keys struct {
		// The number of approvals that are required. The requester's own does not count. Never
		// fewer than 1.
		Votes int `key:"votes" default:"1"`
		// How long a request waits for its approvals.
		TTL string `key:"ttl" default:"15m" type:"duration"`
		// How long an approved run may wait to start.
		Start string `key:"start" default:"2m" type:"duration"`
	}
	destructiveKeys struct {
		// The number of approvals that are required. The requester's own does not count. Never
		// fewer than 2.
		Votes int `key:"votes" default:"2"`
	}
	terminalKeys struct {
		// The path of the socket for `bot do`. The default is terminal.sock in the state
		// directory.
		Socket string `key:"socket" example:"/run/dhbot/terminal.sock" type:"path"`
		// The group with access to the socket. The bot's own user must be a member.
		Group string `key:"group" example:"dhops"`
		// The channel for runs that were requested at a terminal, in a direct message or on the
		// Home tab. The default is the audit channel.
		Channel string `key:"channel" example:"C0INCIDENT"`
	}
	metricsKeys struct {
		// The address to listen on, as host:port.
		Listen string `key:"listen,required" example:"127.0.0.1:9095"`
		// Whether to serve Go's profiles at /debug/pprof/.
		Pprof bool `key:"pprof" default:"false"`
	}
)

// keysOf returns the keys that a mapping of type T may have.
func keysOf[T any]() []string {
	var out []string
	for f := range reflect.TypeFor[T]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("key"), ",")
		out = append(out, name)
	}
	return out
}
