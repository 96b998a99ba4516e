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
		// A directory of your own runbooks. Its *.yaml files add processes and procedures to the
		// catalogs, change them, or make new catalogs. Only root and the bot's user may have write
		// access to the directory, its files, and the directories above it.
		Runbooks string `key:"runbooks" example:"/etc/dhbot/runbooks" type:"path"`
		// The exceptions for your own runbooks: processes and actions that may have a lower class or
		// level than the built-in catalogs or the commands of the action require. `bot check` prints
		// each exception.
		Lowered []loweredKeys `key:"lowered"`
		// The number of approvals, how long requests wait for them, and how long runs may wait to
		// start.
		Policy policyKeys `key:"policy"`
		// The limits beyond which an observation is an incident.
		Incidents incidentKeys `key:"incidents"`
		// Commands in a shell on the bot's machine, for when Slack is down. With a state.dir, the
		// terminal is on as soon as a person has `keys`, even without this mapping.
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
		// The class that the runbook gives the action. Write either class or level.
		Class string `key:"class" enum:"read,sensitive,writes,disruptive" example:"read"`
		// The level that the runbook gives the process or action, from 1 to 3.
		Level int `key:"level" example:"3"`
		// The reason for the exception, for the next reader of the config.
		Because string `key:"because,required" example:"the script only reads"`
	}
	slackKeys struct {
		// The team (T…) or, in an Enterprise Grid, the organisation (E…) whose full members may use
		// the bot. Guests and members of other organisations never can. Required, except in configs
		// of v0.1 that have home_teams, or accounts as TEAM/MEMBER.
		Home string `key:"home" example:"T0EXAMPLE"`
		// Home organisations as a list, in configs of v0.1. Write slack.home instead.
		HomeTeams []string `key:"home_teams" example:"[T0EXAMPLE]"`
		// The channel that gets one line for each record of the audit trail, except for reads. The
		// records of a run are in one thread.
		AuditChannel string `key:"audit_channel,required" example:"C0AUDIT"`
		// The cluster that each channel is for, by channel id. In that channel, the name of a
		// process means the process of that cluster.
		Channels map[string]string `key:"channels" example:"{C0INCIDENT: prod}"`
	}
	stateKeys struct {
		// The bot's own directory, mode 0700, for its store and its control socket. It is required
		// without state.etcd. With state.etcd it contains only sockets, and is optional. Without
		// the directory, `bot health` does not work, and `bot do` needs terminal.socket.
		Dir string `key:"dir" example:"/var/lib/dhbot" type:"path"`
		// An external etcd that only the bot uses, instead of the embedded store. It allows up
		// to four replicas. Deephaven's own etcd is refused.
		Etcd etcdKeys `key:"etcd"`
		// The directory for old parts of the trail and old runs. With the embedded store the
		// default is `archive` in state.dir. With an external etcd there is no default: without
		// this key everything stays in etcd. All replicas must share the directory.
		Archive string `key:"archive" example:"/srv/dhbot-archive" type:"path"`
		// The file of the key that signs the state, mode 0600. It must be outside state.dir,
		// state.archive and their backups. The default is state.key next to the config, created at
		// the first start. With state.etcd, `bot state key FILE` creates the key, and every replica
		// needs a copy. The bot's account must be able to write to the directory of the key, for
		// the notes of sent steps, unless notes_dir names another directory.
		KeyFile string `key:"key_file" example:"/etc/dhbot/state.key" type:"path"`
		// The directory in which this replica keeps its notes of sent steps and its file of
		// heads of the trail. It must be outside state.dir, state.archive and their backups, and
		// must survive a restart. Replicas on different machines must not share it. The default is
		// the directory of state.key_file. notes_dir is required if the bot cannot write to that
		// directory, for example because a Secret of Kubernetes is mounted there.
		NotesDir string `key:"notes_dir" example:"/var/lib/dhbot-notes" type:"path"`
		// Witnesses that keep the signed heads of the trail, in addition to the file of heads in
		// state.notes_dir. A witness is the path of a file on another mount, or an https address
		// that accepts a head with POST and returns the last head with GET.
		Witnesses []string `key:"witnesses" example:"[/mnt/witness/dhbot.heads]"`
	}
	etcdKeys struct {
		// The URLs of the etcd members, with ports. Only a loopback address may have http instead of
		// https.
		Endpoints []string `key:"endpoints,required" example:"[https://state-1.example.com:2379]"`
		// The certificates and the key for TLS, as PEM files. The bot must log in to etcd with
		// `cert` and `key`, or with `user` and `password_file`. Only an etcd on loopback needs
		// neither.
		TLS tlsKeys `key:"tls"`
		// The etcd user, if etcd has authentication. Write both user and password_file, or neither.
		User string `key:"user" example:"dhbot"`
		// A file with the password of the etcd user, mode 0600.
		PasswordFile string `key:"password_file" example:"/etc/dhbot/etcd-password" type:"path"`
	}
	tlsKeys struct {
		// The certificate authority of the etcd members. Required for https endpoints.
		CA string `key:"ca" example:"/etc/dhbot/etcd-ca.pem" type:"path"`
		// The client certificate of the bot. Write both cert and key, or neither.
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
		// The credentials for logins, offered in this order. Write either credentials or key_file:
		// one of the two is required.
		Credentials []credentialKeys `key:"credentials"`
		// A command that renews user certificates, as a list of words. The first word is an absolute
		// path. The command runs as the bot's user an hour before a certificate expires. If the
		// lifetime of the certificate is less than three hours, it runs in the last third of the
		// lifetime. It also runs at the start if a credential cannot be used or has expired. The
		// output of the command is discarded.
		Renew []string `key:"renew" example:"[/usr/local/bin/renew-certificate, --role, dhbot]"`
		// The file of host keys, in OpenSSH's format. The bot never trusts a host key on
		// first use.
		KnownHosts string `key:"known_hosts,required" example:"/etc/dhbot/known_hosts" type:"path"`
		// An ssh_config file, from which the bot takes HostName, Port, User, ProxyJump, keys,
		// HostKeyAlias and algorithms of hosts and jump hosts. Settings of a host in the bot's
		// config take precedence over the ssh_config file. The ssh_config file takes precedence over
		// user, key_file, credentials and proxy_jump in this mapping.
		ConfigFile string `key:"config_file" example:"/etc/dhbot/ssh_config" type:"path"`
		// The jump hosts of all hosts that have no jump hosts of their own, as user@host or
		// user@host:port, separated by commas, in the order of the route, at most 8. With
		// config_file, user@ may be left out.
		ProxyJump string `key:"proxy_jump" example:"dhops@bastion.example.com:22"`
		// The largest number of concurrent logins, from 1 to 256.
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
		// The user certificate. The default is KEY-cert.pub next to the key, if that file exists.
		// With an agent, only the key of this certificate is used.
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
		// The Slack accounts of the person, as member ids (U… or W…). TEAM/MEMBER is possible too,
		// and is required only in configs of v0.1 with neither slack.home nor slack.home_teams.
		// Each person needs slack or keys.
		Slack []string `key:"slack" example:"[U0ANNA]"`
		// Public SSH keys that identify the person at a terminal.
		Keys []string `key:"keys" example:"['ssh-ed25519 AAAAC3… anna@laptop']"`
	}
	clusterKeys struct {
		// The Deephaven generation, current or legacy-20200121, or a new catalog in your own
		// runbooks.
		Catalog string `key:"catalog,required" example:"current"`
		// Where the access control lists are stored.
		ACLs string `key:"acls" default:"etcd" enum:"etcd,mysql"`
		// The largest size of a dh-etcd member's database file (quota-backend-bytes), in MiB or GiB.
		// The bot uses it only for members that do not report their own limit, as members before
		// etcd 3.6 do not. The default is etcd's default of 2 GiB.
		EtcdQuota string `key:"etcd_quota" example:"8GiB"`
		// Who may do what. An empty or missing list allows no one.
		Roles rolesKeys `key:"roles,required"`
		// The order in which a request and its reminders mention approvers. By default a request
		// mentions all approvers. The requester is never mentioned. The setting does not change who
		// may approve.
		Call callKeys `key:"call"`
		// The hosts of the cluster, each with a name that you choose.
		Hosts map[string]hostKeys `key:"hosts,required" example:"infra-1"`
		// The schedules of processes that should not always be up, by process.
		Schedule map[string]scheduleKeys `key:"schedule" example:"status_dashboard"`
		// The background monitoring of the cluster. By default it is off.
		Watch watchKeys `key:"watch"`
		// Who is notified when no one owns an incident, or when no one approves or denies a Sev 1
		// request. By default no one is. Without `watch` there are no incidents to escalate.
		Escalation escalationKeys `key:"escalation"`
	}
	rolesKeys struct {
		// People who may read: status, logs and so on. "channel C…" allows all people of this config
		// to read in that channel. People in the other lists may read too.
		Readers []string `key:"readers" example:"[channel C0INCIDENT]"`
		// People who may request restarts and other actions.
		Operators []string `key:"operators" example:"[anna, ben]"`
		// People who may approve requests of others.
		Approvers []string `key:"approvers" example:"[ben, chris]"`
		// People who may read sensitive answers (etcd values, table ACLs). The answers come as direct
		// messages.
		Data []string `key:"data" example:"[chris]"`
	}
	callKeys struct {
		// Approvers that a new request and its first reminder mention. The default is all approvers
		// who are not in `next`. If none of them may approve the request, it mentions `next` at once.
		First []string `key:"first" example:"[ben]"`
		// Approvers that the second reminder of a request mentions in addition to `first`. The
		// default is all other approvers. The third and last reminder mentions all approvers.
		Next []string `key:"next" example:"[chris]"`
	}
	hostKeys struct {
		// The name or address of the host, or a name in ssh.config_file. The default port
		// is 22.
		Address string `key:"address,required" example:"10.0.0.5"`
		// The processes of the host, by their names in the catalog (`bot catalog`).
		Processes []string `key:"processes,required" example:"[db_dis, tailer1]"`
		// The account for logins on the host. The default is User of ssh.config_file, or ssh.user.
		Login string `key:"login" example:"dhops"`
		// The jump hosts of the host, in the format of ssh.proxy_jump. "none" means a direct
		// connection. The default is ProxyJump of ssh.config_file, or ssh.proxy_jump.
		ProxyJump string `key:"proxy_jump" example:"dhops@bastion-2.example.com"`
		// The private keys for the host, if they differ from ssh.key_file or ssh.credentials.
		KeyFile []string `key:"key_file" example:"/etc/dhbot/id_infra" type:"path,oneOrMore"`
		// The name of the host in known_hosts, if it is not the address.
		HostKeyAlias string `key:"host_key_alias" example:"infra-1.internal"`
		// Algorithms for an old sshd, with the syntax of ssh_config: a list replaces the default, +
		// appends to it, - removes from it, ^ puts algorithms first.
		Algorithms algorithmKeys `key:"algorithms"`
		// The monit command of the host, as a list of words. The default is that of the catalog.
		Monit []string `key:"monit" example:"[sudo, -u, irisadmin, monit]"`
		// The version of sudo on the host. Set it if the version is older than 1.9.10, because such a
		// sudo does not support regular expressions. Commands then go through the script that `bot
		// sudoers --wrapper` prints.
		SudoVersion string `key:"sudo_version" example:"1.8.23"`
		// The directory of etcd's client files on the host. The default is that of the catalog.
		EtcdClientDir string `key:"etcd_client_dir" example:"/etc/sysconfig/illumon.d/etcd/client" type:"path"`
		// The etcd member from which this host saves snapshots. The rules of `bot sudoers` allow
		// snapshots from no other member. The default is port 2379 of this host if it runs etcd,
		// otherwise of the first host with etcd.
		EtcdEndpoint string `key:"etcd_endpoint" example:"https://infra-1.example.com:2379"`
		// The directory of the application logs on the host. The default is that of the catalog.
		LogRoot string `key:"log_root" example:"/var/log/deephaven" type:"path"`
		// The URL on the host that makes the Client Update Service of the Web API Service offer
		// new files. Without this URL, cus-reload is a checklist.
		ClientUpdateReload string `key:"client_update_reload" example:"https://infra-1.example.com:8123/reload/"`
		// The program on the host that prints the threads of a process, given its pid. The bot then
		// saves thread dumps of processes under monit with the run: before it stops or restarts the
		// process, and when it waits for the process in vain.
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
		// The end of the time range, as hh:mm. It must be later than start_time. 24:00 is the end of
		// the day.
		EndTime string `key:"end_time,required" example:"'19:00'"`
	}
	escalationKeys struct {
		// When to mention the people, if an incident has no owner, or if no one has approved or
		// denied a Sev 1 request. The time is counted from the request or, for an incident, from when
		// its first open problem of `level` or worse reached its present level. From 30s to 24h.
		After string `key:"after" default:"5m" type:"duration"`
		// The people to mention, by their names in the config. Each needs a Slack account, and the
		// role operator or approver in this cluster.
		People []string `key:"people" example:"[chris, dana]"`
		// The Slack user group to mention. Write either group or people.
		Group string `key:"group" example:"S0ONCALL"`
		// The least severe level of incidents that are escalated: 1, 2 or 3. Of requests, the bot
		// escalates only those of Sev 1, whatever the level.
		Level int `key:"level" default:"1"`
		// The pager to alert if there is still no owner and no decision some time later.
		Page pageKeys `key:"page"`
	}
	pageKeys struct {
		// When to alert the pager, counted like escalation.after and not earlier than it. From 1m to
		// 24h.
		After string `key:"after" default:"10m" type:"duration"`
		// The API of the pager: PagerDuty's Events API v2, or Alertmanager's API v2.
		Shape string `key:"shape,required" enum:"pagerduty,alertmanager" example:"pagerduty"`
		// The complete URL to which alerts are sent. For PagerDuty the default is its public URL. For
		// Alertmanager, url or url_file is required. Only a loopback address may have http instead of
		// https.
		URL string `key:"url" example:"https://alertmanager.example.com/api/v2/alerts"`
		// A file with the URL, mode 0600, if the URL is a secret.
		URLFile string `key:"url_file" example:"/etc/dhbot/pager-url" type:"path"`
		// A file with PagerDuty's routing key, mode 0600. Required for PagerDuty.
		RoutingKeyFile string `key:"routing_key_file" example:"/etc/dhbot/pagerduty-key" type:"path"`
		// The certificate authority of the pager, as a PEM file. The default is the
		// system's authorities.
		CA string `key:"ca" example:"/etc/dhbot/pager-ca.pem" type:"path"`
	}
	watchKeys struct {
		// The channel for incidents.
		Channel string `key:"channel,required" example:"C0INCIDENT"`
		// The time between two rounds of checks. From 5s to 10m.
		Every string `key:"every" default:"30s" type:"duration"`
		// How long every target of an incident must have been well before the incident ends. From
		// 10s to 1h.
		Quiet string `key:"quiet" default:"2m" type:"duration"`
	}
	incidentKeys struct {
		// How many errors a minute in a log count as an incident. Fewer errors are only shown. From 1
		// to 10000.
		ErrorRate int `key:"error_rate" default:"10"`
		// How long a log must have at least `error_rate` errors in every minute before they count as
		// an incident. From 1m to 15m.
		ErrorsFor string `key:"errors_for" default:"5m" type:"duration"`
		// How long a process that the bot stopped in a run may stay down before this counts as an
		// incident. From 1m to 24h.
		OwnStop string `key:"own_stop" default:"30m" type:"duration"`
	}
	policyKeys struct {
		// Approvals for disruptive actions of Sev 1, such as a restart of a process whose outage is
		// Sev 1. The time limits ttl and start hold for all other runs too.
		Sev1 sev1Keys `key:"sev1"`
		// Approvals for actions that cannot be undone.
		Destructive destructiveKeys `key:"destructive"`
	}
	sev1Keys struct {
		// The number of required approvals, from 1 to 5. The requester cannot approve.
		Votes int `key:"votes" default:"1"`
		// How long any request waits for its approvals, from 1m to 24h.
		TTL string `key:"ttl" default:"15m" type:"duration"`
		// How long any run may wait to start, after its approval or, if it needs none, after the
		// request. From 30s to 1h.
		Start string `key:"start" default:"2m" type:"duration"`
	}
	destructiveKeys struct {
		// The number of required approvals, from 2 to 5. The requester cannot approve. If
		// sev1.votes is larger, it counts instead.
		Votes int `key:"votes" default:"2"`
	}
	terminalKeys struct {
		// The path of the socket for `bot do`. The default is terminal.sock in the state
		// directory.
		Socket string `key:"socket" example:"/run/dhbot/terminal.sock" type:"path"`
		// The group with access to the socket. The bot's own user must be a member. Without a group,
		// only root and the bot's user have access. A group needs a socket outside state.dir.
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
