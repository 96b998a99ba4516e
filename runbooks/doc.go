// Package runbooks holds what can be done: the catalog of every process and
// procedure of one Deephaven generation, and the planner that resolves an
// action against the fleet into exact commands.
//
// # Catalog files
//
// A catalog is YAML, one document a file. Files may be part of the same
// catalog, and one file may be part of several. Every key is known or an
// error.
//
//	catalog: current                  # the catalog's name, or a list of them
//	title: Deephaven, current generation
//	monit: [sudo, -u, irisadmin, monit]   # how monit is called; a host may differ
//	paths:
//	  logs: /var/log/deephaven            # above the log directories; a host may differ
//	  etcd_client: /etc/…/etcd/client     # above the etcd client directories; a host may differ
//	sources: {start: …}                   # where a process names no source of its own
//	processes:
//	  - id: db_dis                        # what people type, with "-" and "_" alike
//	    title: Data Import Server
//	    aliases: [dis]
//	    level: 1                          # of its own outage: 1, 2 or 3
//	    impact: …                         # one sentence for a phone
//	    manager: monit                    # or systemd
//	    service: db_dis                   # the manager's name of it
//	    user: dbmerge                     # the OS user it runs as
//	    placement: infra                  # or query, every
//	    optional: …                       # why many installations lack it
//	    needs: [{process: configuration_server, when: acls in etcd, source: "page.md:109"}]
//	    logs: {dir: dis, app: [DataImportServer.log.current], stdout: db_dis, files: […], unit: …}
//	    sources:                          # by the keys that steps ask for
//	      status: page.md:274
//	      restart: {at: "page.md:292", corrected: what the page has wrong}
//	actions:
//	  - action: restart                   # its name, a verb
//	    title: restart, and wait for a new pid
//	    managers: [monit]                 # or processes: [etcd], which wins; or about: host, about: cluster
//	    class: disruptive                 # read, sensitive, writes, disruptive, destructive
//	    level: 1                          # fixed; without it the process's own
//	    one_host: true                    # must name one of several hosts
//	    params: [{name: date, type: date, help: the day}]
//	    minted: [file]                    # fresh names, made once before planning
//	    locks: ["{host}/monit"]           # below the cluster's name; for what changes something
//	    steps: […]
//
// # Steps
//
// The steps run for one host after the other; once: first or once: last limits
// one to that host. A step with process: ID is about that process, on each of
// its hosts: a guard is a wait step of that sort before what it guards. A
// class that changes nothing has no exec and no manual steps.
//
//	exec    run, check ("exit 0" or "exit 0, no output"), timeout
//	wait    run, until (a Condition), timeout of one try, within for all of them
//	list    run, list (a name), match (a pattern for the whole of each line), most (lines), timeout
//	manual  text
//	        use: ACTION with process: ID stands for that action's steps
//
// Any step may have title, source (a key of sources, or a file and line),
// corrected, and app_log: true, which drops it for processes without an
// application log. A list step runs before the digest; {listed.NAME} in a
// later step is what it answered, and a plan is not complete without it.
//
// # Placeholders
//
// Commands are lists of words, never shell. Within a word {service},
// {process}, {host}, {logs}, {etcd_client}, {param.NAME} and {minted.NAME}
// stand for one value; {monit}, {app_logs} and {listed.NAME} are words by
// themselves and stand for several. A process may have several names for its
// application log of which one exists: tail then ends with exit code 1 and
// has shown the other. A word that holds an optional parameter
// that was not given is left out.
package runbooks
