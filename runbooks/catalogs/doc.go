// Package catalogs reads and validates catalogs: every process and procedure of
// one Deephaven generation, as YAML. The files beside this one are compiled into
// the binary; runbooks of your own are laid over them. Package planner turns an
// action of a catalog into exact commands.
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
//	  snapshots: /backup                  # any further name, for {path.snapshots}
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
//	    impact: …                         # where it is not that of the process's outage
//	    one_host: true                    # must name one of several hosts
//	    step_by_step: true                # each step on every host before the next
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
// Any step may have title, source (a key of sources, or a file and line) and
// corrected. These keys limit a step; it stays only if
//
//	app_log: true                     the process has an application log
//	given: [PARAM]                    the request has these parameters
//	not_given: [PARAM]                the request lacks these parameters
//	beside: ID                        the host also runs process ID
//	not_beside: ID                    the host does not run process ID
//	if_set: client_update_reload      the host's config has that address
//	if_not_set: client_update_reload  the host's config lacks that address
//
// at: ID makes a step run on the first host of process ID, whatever host it is
// about: a query node's etcd member is removed from the host that has the etcd
// client. main: true marks the step that the action is named after, where that is
// not its first exec step.
//
// A list step runs before the digest; {listed.NAME} in a later step, also in a
// later list step, is what it answered, and a plan is not complete without it.
// Its value of a line is the whole line, or the group (?P<value>…) of match, in
// which {path.NAME} stands for that directory.
// may_be_empty: true lets it bring nothing, and then drops the steps that need
// it; ignore_others: true passes over lines that do not match; last: N keeps
// the last N in the order of their names. A wait step with until: unchanged
// and list: NAME repeats that list just before what acts on it.
//
// # Placeholders
//
// Commands are lists of words, never shell. These stand for one value within a
// word:
//
//	{service} {process} {host} {logs} {etcd_client} {etcd_endpoint}
//	{path.NAME} {param.NAME} {minted.NAME}
//	{log_dir} {stdout}        in steps with app_log; stdout is the base name of the dated logs
//	{client_update_reload}    in steps with if_set, the host's setting
//
// These are a word by themselves and stand for several words:
//
//	{monit} {app_logs} {log_files} {listed.NAME}
//	{log_slices}              the test by which find selects files of the application log
//
// A word with a parameter of type flags is repeated for each of its values. A word
// with an optional parameter that was not given is left out. A process may have
// several names for its application log, of which one exists: tail then shows that
// one and ends with exit code 1.
//
// # Files
//
//   - catalog.go, action.go: the types
//   - load.go, read.go, readstep.go, yamlnode.go: reading YAML
//   - validate.go, validatestep.go, problem.go: checks and their problems
//   - params.go, settle.go: parameters
//   - words.go, bind.go: placeholders of commands
//   - needs.go: dependencies and their order
//   - findprocess.go: names of processes
//   - lowered.go: levels that own runbooks lower
//   - view.go: bot catalog
package catalogs
