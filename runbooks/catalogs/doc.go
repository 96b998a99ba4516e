// Package catalogs reads and validates catalogs: every process and procedure of
// one Deephaven generation, as YAML. The YAML files in this directory are embedded
// in the binary; a site's own runbooks are merged into them. Package planner turns
// an action of a catalog into exact commands.
//
// # Catalog files
//
// A catalog file is one YAML document. Several files may form one catalog, and one
// file may belong to several. An unknown key is an error.
//
//	catalog: current                  # the catalog's name, or a list of them
//	title: Deephaven, current generation
//	monit: [sudo, -u, irisadmin, monit]   # command for monit; a host may override it
//	paths:
//	  logs: /var/log/deephaven            # above the log directories; a host may override it
//	  etcd_client: /etc/…/etcd/client     # above the etcd client directories; a host may override it
//	  snapshots: /backup                  # further directory, for {path.snapshots}
//	sources: {start: …}                   # for processes without sources of their own
//	processes:
//	  - id: db_dis                        # name in commands; "-" and "_" are equal
//	    title: Data Import Server
//	    aliases: [dis]
//	    level: 1                          # of an outage of the process: 1, 2 or 3
//	    impact: …                         # one sentence for a phone
//	    manager: monit                    # or systemd
//	    service: db_dis                   # name of the process in the manager
//	    user: dbmerge                     # OS user of the process
//	    placement: infra                  # or query, every
//	    optional: …                       # reason why many installations lack it
//	    needs: [{process: configuration_server, when: acls in etcd, source: "page.md:109"}]
//	    logs: {dir: dis, app: [DataImportServer.log.current], stdout: db_dis, files: […], unit: …}
//	    sources:                          # by the source keys of steps
//	      status: page.md:274
//	      restart: {at: "page.md:292", corrected: what is wrong on the page}
//	actions:
//	  - action: restart                   # name of the action, a verb
//	    title: restart, and wait for a new pid
//	    managers: [monit]                 # or processes: [etcd], which takes precedence; or about: host, about: cluster
//	    class: disruptive                 # read, sensitive, writes, disruptive, destructive
//	    level: 1                          # fixed; default: the process's level
//	    impact: …                         # default: the impact of the process's outage
//	    one_host: true                    # requires a host if the process has several
//	    step_by_step: true                # each step on every host before the next
//	    params: [{name: date, type: date, help: the day}]
//	    minted: [file]                    # new names, made once before planning
//	    locks: ["{host}/monit"]           # relative to the cluster's name; for actions that change something
//	    steps: […]
//
// # Steps
//
// The steps run on one host after another; once: first or once: last limits a step to that
// host. A step with process: ID is about that process, on each of its hosts. A guard is a
// wait step before the step that it guards. A class that changes nothing has no exec and no
// manual steps.
//
//	exec    run, check ("exit 0" or "exit 0, no output"), timeout
//	wait    run, until (a Condition), timeout of one try, within for all of them
//	list    run, list (a name), match (a pattern for the whole of each line), most (lines), timeout
//	manual  text
//	        use: ACTION with process: ID stands for that action's steps
//
// Any step may have title, source (a key of sources, or a file and line) and corrected. These keys
// limit a step; the step stays only if
//
//	app_log: true                     the process has an application log
//	given: [PARAM]                    the request has these parameters
//	not_given: [PARAM]                the request lacks these parameters
//	beside: ID                        the host also runs process ID
//	not_beside: ID                    the host does not run process ID
//	if_set: client_update_reload      the host's config has that address
//	if_not_set: client_update_reload  the host's config lacks that address
//
// at: ID makes a step run on the first host of process ID, whichever host the step is about. For
// example, the etcd member of a query node is removed on the host that has the etcd client. main:
// true marks the main step of the action; the default is the first exec step.
//
// A list step runs before the digest is made. {listed.NAME} in a later step, also in a later list
// step, stands for the result of the list. A plan without the result is incomplete. The value of a
// line is the whole line, or the group (?P<value>…) of match. In match, {path.NAME} stands for the
// directory of that name. may_be_empty: true accepts an empty result and then drops the steps that
// need it. ignore_others: true skips lines that do not match. last: N keeps the last N names. A
// wait step with until: unchanged and list: NAME repeats that list directly before the step that
// uses it.
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
// A word with a parameter of type flags is repeated for each of its values. A word with an optional
// parameter that was not given is left out. A process may have several possible names for its
// application log, of which only one exists. tail then shows the existing file and ends with exit
// code 1.
//
// # Files
//
//   - catalog.go, action.go: the types
//   - load.go, read.go, readstep.go: reading YAML
//   - validate.go, validatestep.go: checks
//   - params.go, settle.go: parameters
//   - words.go, bind.go: placeholders of commands
//   - needs.go: dependencies and their order
//   - findprocess.go: names of processes
//   - lowered.go: classes and levels that a site's own runbooks lower; programs with a
//     relative path
//   - view.go: bot catalog
package catalogs
