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
		// being with all of their accounts. A requester cannot approve their own request, even from
		// another account.
		People map[string]personKeys `key:"people,required" example:"anna"`
		// The Deephaven installations, each with a name that you choose.
		Clusters map[string]clusterKeys `key:"clusters,required" example:"prod"`
		// A directory of your own runbooks. The *.yaml files in the directory can add processes and
		// procedures to the catalogs, change existing processes and procedures, or make new
		// catalogs. Only root and the bot's user may have write access to the directory, its files,
		// and the directories above it.
		Runbooks string `key:"runbooks" example:"/etc/dhbot/runbooks" type:"path"`
		// The exceptions for your own runbooks. Without an exception, a runbook cannot give a
		// process or action a lower class or level than the built-in catalogs give it, or than the
		// commands of the action require. `bot check` prints each exception.
		Lowered []loweredKeys `key:"lowered"`
		// How many approvals a request needs, how long it waits for them, and how long a run may
		// wait to start.
		Policy policyKeys `key:"policy"`
		// The limits beyond which an observation counts as an incident.
		Incidents incidentKeys `key:"incidents"`
		// The terminal: commands in a shell on the bot's machine, which also work while Slack is
		// down. If state.dir is set and a person has `keys`, the terminal is on even without this
		// mapping.
		Terminal terminalKeys `key:"terminal"`
		// The HTTP listener for Prometheus and for health checks. The listener has no
		// authentication. So use a loopback address, or a network that only your monitoring can
		// reach.
		Metrics metricsKeys `key:"metrics"`
	}
	loweredKeys struct {
		// The catalog that the runbook changes.
		Catalog string `key:"catalog,required" example:"current"`
		// The process whose level is lowered. Write either process or action.
		Process string `key:"process" example:"status_dashboard"`
		// The action whose class or level is lowered.
		Action string `key:"action" example:"feed-check"`
		// The class that the runbook gives to the action. Write either class or level.
		Class string `key:"class" enum:"read,sensitive,writes,disruptive" example:"read"`
		// The level that the runbook gives to the process or action, from 1 to 3.
		Level int `key:"level" example:"3"`
		// The reason for the exception, for the next reader of the config.
		Because string `key:"because,required" example:"the script only reads"`
	}
	slackKeys struct {
		// The id of the Slack workspace (T…) or, in an Enterprise Grid, of the organisation (E…).
		// Only full members of this workspace or organisation can use the bot. Guests, and members
		// of other organisations, never can. The key is required, except in configs of v0.1 that
		// have home_teams, or that write accounts as TEAM/MEMBER.
		Home string `key:"home" example:"T0EXAMPLE"`
		// A list of home organisations, for configs of v0.1. In new configs, write slack.home
		// instead.
		HomeTeams []string `key:"home_teams" example:"[T0EXAMPLE]"`
		// The channel in which the bot posts one line for each record of the audit trail, except
		// for records of reads. The records of one run are in one thread.
		AuditChannel string `key:"audit_channel,required" example:"C0AUDIT"`
		// Maps the ids of channels to clusters. In each of these channels, the name of a process
		// means the process of the channel's cluster.
		Channels map[string]string `key:"channels" example:"{C0INCIDENT: prod}"`
	}
	stateKeys struct {
		// The bot's own directory, mode 0700, for its store and its control socket. It is required
		// if state.etcd is not set. With state.etcd, the directory contains only sockets, and is
		// optional. Without the directory, `bot health` does not work, and `bot do` needs
		// terminal.socket.
		Dir string `key:"dir" example:"/var/lib/dhbot" type:"path"`
		// An external etcd, which the bot uses instead of the embedded store. With an external
		// etcd, up to four replicas of the bot are possible. Only the bot may use this etcd. The
		// bot refuses Deephaven's own etcd.
		Etcd etcdKeys `key:"etcd"`
		// The directory for old parts of the audit trail and for old runs. With the embedded store,
		// the default is `archive` in state.dir. With an external etcd there is no default: without
		// this key, everything stays in etcd. All replicas must share the directory.
		Archive string `key:"archive" example:"/srv/dhbot-archive" type:"path"`
		// The file with the key that signs the state, mode 0600. The file must be outside
		// state.dir, state.archive and the backups of both. The default is the file state.key next
		// to the config, which the bot creates at its first start. With state.etcd, `bot state key
		// FILE` creates the key, and every replica needs a copy. The bot also writes its notes of
		// sent steps to the directory of this file, unless notes_dir names another directory. So
		// the bot's account needs write access to the directory.
		// $CREDENTIALS_DIRECTORY/NAME is a credential that systemd provides; with it, notes_dir is
		// required.
		KeyFile string `key:"key_file" example:"/etc/dhbot/state.key" type:"path"`
		// The directory in which this replica keeps its notes of sent steps, and its file with the
		// heads of the audit trail. The directory must be outside state.dir, state.archive and the
		// backups of both, and its files must survive a restart. Replicas on different machines
		// must not share the directory. The default is the directory of state.key_file. notes_dir
		// is required if the bot cannot write to that default directory, for example because a
		// Kubernetes Secret is mounted there.
		NotesDir string `key:"notes_dir" example:"/var/lib/dhbot-notes" type:"path"`
		// Witnesses that keep the signed heads of the audit trail, in addition to the file in
		// state.notes_dir. A head is the number and hash of the newest entry of the trail. A
		// witness is either the path of a file on another mount, or an https address. The address
		// must accept a head with POST, and return the last head with GET.
		Witnesses []string `key:"witnesses" example:"[/mnt/witness/dhbot.heads]"`
	}
	etcdKeys struct {
		// The URLs of the etcd members, with ports. Each URL must begin with https, or with http if
		// it is the URL of a loopback address.
		Endpoints []string `key:"endpoints,required" example:"[https://state-1.example.com:2379]"`
		// The certificates and the key for TLS, as PEM files. The bot must log in to etcd, either
		// with `cert` and `key` or with `user` and `password_file`. Only an etcd on loopback
		// requires no login.
		TLS tlsKeys `key:"tls"`
		// The etcd user, if etcd has authentication. Write both user and password_file, or neither.
		User string `key:"user" example:"dhbot"`
		// A file with the password of the etcd user, mode 0600.
		PasswordFile string `key:"password_file" example:"/etc/dhbot/etcd-password" type:"path"`
	}
	tlsKeys struct {
		// The certificate authority that signed the certificates of the etcd members. Required for
		// https endpoints.
		CA string `key:"ca" example:"/etc/dhbot/etcd-ca.pem" type:"path"`
		// The client certificate of the bot. Write both cert and key, or neither.
		Cert string `key:"cert" example:"/etc/dhbot/etcd.pem" type:"path"`
		// The private key of the bot's client certificate, mode 0600.
		Key string `key:"key" example:"/etc/dhbot/etcd-key.pem" type:"path"`
	}
	sshKeys struct {
		// The account with which the bot logs in to the hosts. The sudo rules of the hosts name
		// this account.
		User string `key:"user,required" example:"dhops"`
		// The file of the private key for logins, or a list of key files. The key must have no
		// passphrase, and the file must have mode 0600. If there is a certificate next to a key
		// (KEY-cert.pub), the bot offers the certificate before the key.
		KeyFile []string `key:"key_file" example:"/etc/dhbot/id_ed25519" type:"path,oneOrMore"`
		// The credentials for logins, in the order in which the bot offers them. Write either
		// credentials or key_file. One of the two is required.
		Credentials []credentialKeys `key:"credentials"`
		// A command that renews user certificates, as a list of words. The first word is an
		// absolute path. The bot executes the command, under its own account, an hour before a
		// certificate expires. If the lifetime of the certificate is less than three hours, the bot
		// executes the command in the last third of the lifetime instead. The bot also executes the
		// command at its own start, if a credential cannot be used or has expired. The output of
		// the command is discarded.
		Renew []string `key:"renew" example:"[/usr/local/bin/renew-certificate, --role, dhbot]"`
		// The file of host keys, in OpenSSH's format. The bot never trusts a host key on
		// first use.
		KnownHosts string `key:"known_hosts,required" example:"/etc/dhbot/known_hosts" type:"path"`
		// An ssh_config file. From this file, the bot takes HostName, Port, User, ProxyJump, keys,
		// HostKeyAlias and algorithms of hosts and jump hosts. If a host has the same setting in
		// the bot's config, the setting in the bot's config counts. The ssh_config file takes
		// precedence over ssh.user, ssh.key_file, ssh.credentials and ssh.proxy_jump.
		ConfigFile string `key:"config_file" example:"/etc/dhbot/ssh_config" type:"path"`
		// The jump hosts for all hosts that have no jump hosts of their own. Write each jump host
		// as user@host or user@host:port, in the order of the route, separated by commas. At most 8
		// jump hosts are possible. If config_file is set, you can leave out user@. The default,
		// none, is a direct connection.
		ProxyJump string `key:"proxy_jump" example:"dhops@bastion.example.com:22"`
		// The largest number of concurrent logins, from 1 to 256.
		Handshakes int `key:"handshakes" default:"16"`
	}
	credentialKeys struct {
		// The path of an ssh-agent's socket. Write SSH_AUTH_SOCK to use the path in the environment
		// variable of that name.
		Agent string `key:"agent" example:"/run/dhbot/agent.sock" type:"path"`
		// The file of a private key, mode 0600. If systemd provides the key as a credential, write
		// $CREDENTIALS_DIRECTORY/NAME.
		KeyFile string `key:"key_file" example:"/etc/dhbot/id_ed25519" type:"path"`
		// A file with the passphrase of the key, mode 0600.
		PassphraseFile string `key:"passphrase_file" example:"$CREDENTIALS_DIRECTORY/passphrase" type:"path"`
		// The file of the user certificate. The default is KEY-cert.pub next to the key, if that
		// file exists. With an agent, the bot uses only the agent's key that belongs to this
		// certificate.
		CertificateFile string `key:"certificate_file" example:"/etc/dhbot/id_ed25519-cert.pub" type:"path"`
	}
	algorithmKeys struct {
		// Algorithms for the key exchange. The corresponding keyword in ssh_config is
		// KexAlgorithms.
		Kex string `key:"kex" example:"+diffie-hellman-group14-sha1"`
		// Ciphers. The corresponding keyword in ssh_config is Ciphers.
		Ciphers string `key:"ciphers" example:"+aes128-cbc"`
		// Message authentication codes. The corresponding keyword in ssh_config is MACs.
		MACs string `key:"macs" example:"hmac-sha2-256"`
		// Types of host keys. The corresponding keyword in ssh_config is HostKeyAlgorithms.
		HostKeys string `key:"host_keys" example:"+ssh-rsa"`
		// Signature types for the bot's keys. The corresponding keyword in ssh_config is
		// PubkeyAcceptedAlgorithms.
		PublicKeys string `key:"public_keys" example:"ssh-rsa"`
	}
	personKeys struct {
		// The Slack accounts of the person, as member ids (U… or W…). The form TEAM/MEMBER is
		// possible too. This form is required only in configs of v0.1 that have neither slack.home
		// nor slack.home_teams. Each person needs slack, keys or both.
		Slack []string `key:"slack" example:"[U0ANNA]"`
		// Public SSH keys that identify the person at a terminal.
		Keys []string `key:"keys" example:"['ssh-ed25519 AAAAC3… anna@laptop']"`
	}
	clusterKeys struct {
		// The catalog for the Deephaven generation of the cluster. The built-in catalogs are
		// current and legacy-20200121. You can also name a new catalog from your own runbooks.
		Catalog string `key:"catalog,required" example:"current"`
		// Where Deephaven's access control lists are stored.
		ACLs string `key:"acls" default:"etcd" enum:"etcd,mysql"`
		// The largest size that the database file of a dh-etcd member may reach
		// (quota-backend-bytes), in MiB or GiB. The bot uses this key only for members that do not
		// report their own limit. Members before etcd 3.6 do not report it. The default is 2 GiB,
		// as in etcd itself.
		EtcdQuota string `key:"etcd_quota" example:"8GiB"`
		// Who may do what. An empty or missing list allows no one.
		Roles rolesKeys `key:"roles,required"`
		// The order in which a request and its reminders mention approvers. By default a request
		// mentions all approvers. The requester is never mentioned. The setting does not change who
		// may approve.
		Call callKeys `key:"call"`
		// The hosts of the cluster, each with a name that you choose.
		Hosts map[string]hostKeys `key:"hosts,required" example:"infra-1"`
		// The schedules of processes, by process. A schedule says when the process should be up.
		// Only processes that should not always be up need a schedule.
		Schedule map[string]scheduleKeys `key:"schedule" example:"status_dashboard"`
		// The background monitoring of the cluster. Without this key, the monitoring is off.
		Watch watchKeys `key:"watch"`
		// Whom the bot notifies when no one owns an incident, or when no one approves or denies a
		// Sev 1 request. Without this key, the bot notifies no one. Without `watch`, the cluster
		// has no incidents to escalate.
		Escalation escalationKeys `key:"escalation"`
	}
	rolesKeys struct {
		// People who may read, for example status and logs. With the entry "channel C…", all people
		// in this config may read in that channel. People in the lists operators, approvers and
		// data may read too.
		Readers []string `key:"readers" example:"[channel C0INCIDENT]"`
		// People who may request restarts and other actions.
		Operators []string `key:"operators" example:"[anna, ben]"`
		// People who may approve requests of other people.
		Approvers []string `key:"approvers" example:"[ben, chris]"`
		// People who may read sensitive answers (etcd values, table ACLs). The bot sends these
		// answers as direct messages.
		Data []string `key:"data" example:"[chris]"`
	}
	callKeys struct {
		// The approvers whom a new request and its first reminder mention. The default is all
		// approvers who are not in `next`. If no one in `first` may approve the request, the
		// request mentions the approvers in `next` at once.
		First []string `key:"first" example:"[ben]"`
		// The approvers whom the second reminder of a request mentions in addition to `first`. The
		// default is all approvers who are not in `first`. The third and last reminder mentions all
		// approvers.
		Next []string `key:"next" example:"[chris]"`
	}
	hostKeys struct {
		// The name or address of the host, or a name in ssh.config_file. The default port
		// is 22.
		Address string `key:"address,required" example:"10.0.0.5"`
		// The processes on the host, by their names in the catalog (see `bot catalog`).
		Processes []string `key:"processes,required" example:"[db_dis, tailer1]"`
		// The account with which the bot logs in to the host. The default is User in
		// ssh.config_file. If that file has no User for the host, the default is ssh.user.
		Login string `key:"login" example:"dhops"`
		// The jump hosts for this host, in the format of ssh.proxy_jump. "none" means a direct
		// connection. The default is ProxyJump in ssh.config_file. If that file has no ProxyJump
		// for the host, the default is ssh.proxy_jump.
		ProxyJump string `key:"proxy_jump" example:"dhops@bastion-2.example.com"`
		// The private keys for the host, if they differ from ssh.key_file or ssh.credentials.
		KeyFile []string `key:"key_file" example:"/etc/dhbot/id_infra" type:"path,oneOrMore"`
		// The name of the host in known_hosts, if it is not the address.
		HostKeyAlias string `key:"host_key_alias" example:"infra-1.internal"`
		// Algorithms for a host with an old sshd. The syntax is that of ssh_config. A list replaces
		// the default list. A list that begins with + is appended to the default list. A list that
		// begins with - is removed from the default list. A list that begins with ^ comes before
		// the default list.
		Algorithms algorithmKeys `key:"algorithms"`
		// The command that calls monit on the host, as a list of words. The default is the command
		// in the catalog.
		Monit []string `key:"monit" example:"[sudo, -u, irisadmin, monit]"`
		// The version of sudo on the host. Set this key if the version is older than 1.9.10,
		// because an older sudo does not support regular expressions. The bot's commands then go
		// through the script that `bot sudoers --wrapper` prints.
		SudoVersion string `key:"sudo_version" example:"1.8.23"`
		// The directory of etcd's client files on the host. The default is the directory in the
		// catalog.
		EtcdClientDir string `key:"etcd_client_dir" example:"/etc/sysconfig/illumon.d/etcd/client" type:"path"`
		// The etcd member from which this host saves snapshots. The sudo rules from `bot sudoers`
		// do not allow snapshots from any other member. If this host has etcd, the default is port
		// 2379 of this host. Otherwise the default is port 2379 of the first host with etcd.
		EtcdEndpoint string `key:"etcd_endpoint" example:"https://infra-1.example.com:2379"`
		// The directory of the application logs on the host. The default is the directory in the
		// catalog.
		LogRoot string `key:"log_root" example:"/var/log/deephaven" type:"path"`
		// A URL on the host. When the host opens this URL, the Client Update Service, a part of the
		// Web API Service, offers new files. Without this key, the action cus-reload is a
		// checklist.
		ClientUpdateReload string `key:"client_update_reload" example:"https://infra-1.example.com:8123/reload/"`
		// A program on the host that prints the threads of a process, given the pid of the process.
		// With this key, the bot takes thread dumps of processes under monit, and saves them with
		// the run. It takes a dump before it stops or restarts the process, and also if the process
		// does not reach the expected state in time.
		ThreadDump string `key:"thread_dump" example:"/usr/bin/jstack" type:"path"`
	}
	scheduleKeys struct {
		// The time windows in which the process should be up, in the format of Alertmanager's
		// time_intervals. An empty list, [], means that the process should never be up.
		Up []intervalKeys `key:"up,required"`
	}
	intervalKeys struct {
		// Times of day.
		Times []timesKeys `key:"times"`
		// Days of the week, and ranges of them.
		Weekdays []string `key:"weekdays" example:"['monday:friday']"`
		// Days of the month, and ranges of them. Negative numbers count from the end of the month.
		DaysOfMonth []string `key:"days_of_month" example:"['1:5', '-1']"`
		// Months, and ranges of them.
		Months []string `key:"months" example:"['january:march']"`
		// Years, and ranges of them.
		Years []string `key:"years" example:"['2026:2028']"`
		// The time zone of the window.
		Location string `key:"location" default:"UTC" example:"America/New_York"`
	}
	timesKeys struct {
		// The beginning of the time range, as hh:mm.
		StartTime string `key:"start_time,required" example:"'07:00'"`
		// The end of the time range, as hh:mm. It must be later than start_time. 24:00 is the end of
		// the day.
		EndTime string `key:"end_time,required" example:"'19:00'"`
	}
	escalationKeys struct {
		// How long an incident may have no owner, or a Sev 1 request no decision, before the bot
		// mentions people. For a request, the time begins with the request. For an incident, the
		// time begins when an open problem of `level` or worse reached its present level. If the
		// incident has several of these problems, the first of them counts. Possible values are 30s
		// to 24h.
		After string `key:"after" default:"5m" type:"duration"`
		// The people to mention, by their names in the config. Each of these people needs a Slack
		// account, and the role operator or approver in this cluster.
		People []string `key:"people" example:"[chris, dana]"`
		// The Slack user group to mention. Write either group or people.
		Group string `key:"group" example:"S0ONCALL"`
		// The least severe level at which an incident is escalated: 1, 2 or 3. The key does not
		// apply to requests: the bot always escalates only requests of Sev 1.
		Level int `key:"level" default:"1"`
		// The pager that the bot alerts later, if the incident still has no owner, or the request
		// still has no decision.
		Page pageKeys `key:"page"`
	}
	pageKeys struct {
		// How long the bot waits before it alerts the pager. The time begins at the same moment as
		// for escalation.after. The value must not be smaller than escalation.after. Possible
		// values are 1m to 24h.
		After string `key:"after" default:"10m" type:"duration"`
		// The API of the pager: PagerDuty's Events API v2, or Alertmanager's API v2.
		Shape string `key:"shape,required" enum:"pagerduty,alertmanager" example:"pagerduty"`
		// The complete URL to which the bot sends alerts. For PagerDuty, the default is PagerDuty's
		// public URL. For Alertmanager, url or url_file is required. The URL must begin with https,
		// or with http if it is the URL of a loopback address.
		URL string `key:"url" example:"https://alertmanager.example.com/api/v2/alerts"`
		// A file that contains the URL, mode 0600. Use this key instead of url if the URL is a
		// secret.
		URLFile string `key:"url_file" example:"/etc/dhbot/pager-url" type:"path"`
		// A file with PagerDuty's routing key, mode 0600. Required for PagerDuty.
		RoutingKeyFile string `key:"routing_key_file" example:"/etc/dhbot/pagerduty-key" type:"path"`
		// The certificate authority of the pager, as a PEM file. The default is the certificate
		// authorities of the system.
		CA string `key:"ca" example:"/etc/dhbot/pager-ca.pem" type:"path"`
	}
	watchKeys struct {
		// The channel in which the bot posts incidents.
		Channel string `key:"channel,required" example:"C0INCIDENT"`
		// The time between two rounds of checks. Possible values are 5s to 10m.
		Every string `key:"every" default:"30s" type:"duration"`
		// How long every target of an incident must have been well before the incident ends.
		// Possible values are 10s to 1h.
		Quiet string `key:"quiet" default:"2m" type:"duration"`
	}
	incidentKeys struct {
		// How many errors per minute in a log count as an incident. If there are fewer errors, the
		// bot only shows them. Possible values are 1 to 10000.
		ErrorRate int `key:"error_rate" default:"10"`
		// For how long a log must have at least `error_rate` errors in every minute before the
		// errors count as an incident. Possible values are 1m to 15m.
		ErrorsFor string `key:"errors_for" default:"5m" type:"duration"`
		// How long a process may stay down after a run of the bot stopped it. If the process is
		// down for longer, this counts as an incident. Possible values are 1m to 24h.
		OwnStop string `key:"own_stop" default:"30m" type:"duration"`
	}
	policyKeys struct {
		// The approvals for disruptive actions of Sev 1, such as a restart of a process whose
		// outage is Sev 1. The time limits ttl and start apply to all runs, not only to those of
		// Sev 1.
		Sev1 sev1Keys `key:"sev1"`
		// The approvals for actions that cannot be undone.
		Destructive destructiveKeys `key:"destructive"`
	}
	sev1Keys struct {
		// The number of required approvals, from 1 to 5. The requester cannot approve.
		Votes int `key:"votes" default:"1"`
		// How long any request waits for its approvals. Possible values are 1m to 24h.
		TTL string `key:"ttl" default:"15m" type:"duration"`
		// How long any run may wait to start. The time begins with the approval or, if the run
		// needs no approval, with the request. Possible values are 30s to 1h.
		Start string `key:"start" default:"2m" type:"duration"`
	}
	destructiveKeys struct {
		// The number of required approvals, from 2 to 5. The requester cannot approve. If
		// sev1.votes is larger than this number, sev1.votes counts instead.
		Votes int `key:"votes" default:"2"`
	}
	terminalKeys struct {
		// The path of the socket for `bot do`. The default is terminal.sock in state.dir.
		Socket string `key:"socket" example:"/run/dhbot/terminal.sock" type:"path"`
		// The group whose members may use the socket. The bot's own user must be a member of the
		// group. Without this key, only root and the bot's user may use the socket. With this key,
		// the socket must be outside state.dir.
		Group string `key:"group" example:"dhops"`
		// The channel in which the bot posts runs that people request at a terminal, in a direct
		// message or on the Home tab. The default is the audit channel.
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
