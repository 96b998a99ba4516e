package status

import (
	"context"
	"slices"
	"time"

	"dhbot/internal/observe"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// unitLogEvery is how often the log of a healthy unit is read in the background. It is read seldom,
// because each read adds a line to the host's auth log.
const unitLogEvery = 5 * time.Minute

// hasUnitLog reports whether a process logs to the journal or to a file that only root may read
// (etcd-runbook.md:97, process-runbooks.md:724).
func hasUnitLog(p *catalogs.Process) bool {
	return p.Manager == runbooks.Systemd && (p.Logs.Unit != "" || len(p.Logs.Files) > 0)
}

// unitLogged reports whether any process of the job has a unit log (see hasUnitLog). If so, the
// host's clock must be read too, because the times in such a log may have no zone.
func (j *job) unitLogged() bool { return slices.ContainsFunc(j.processes, hasUnitLog) }

// readUnitLog reads the log of etcd or MariaDB with the catalog's own command. For a check in the
// background, it reads the log of a healthy unit only every few minutes.
func (j *job) readUnitLog(ctx context.Context, t told) logRead {
	steps, err := j.plan(plannedRead{cluster: j.scope.cluster.Name, action: "logs", process: t.process.ID, host: j.host})
	if err != nil || len(steps) != 1 {
		return logRead{} // a site's own catalog has no such command
	}
	log := j.logs.of(j.key(t.process))
	select {
	case log.turn <- struct{}{}:
		defer func() { <-log.turn }()
	case <-ctx.Done():
		return logRead{asked: true, why: "Its log was not read in time"}
	}
	well := t.observation.State == observe.Up && t.observation.Trouble == ""
	if now := j.Now(); !j.query.Background || !well || now.Sub(log.read) >= unitLogEvery {
		text, why := whole(j.run(ctx, steps[0], nil))
		log.read = now
		log.why = why
		added := observe.ParseUnitLog(text, j.pids.Place)
		if added.First.After(log.span.Last) {
			log.span = observe.LogSpan{} // there is a gap: the span begins after the gap
		}
		log.span.Join(added)
		log.span.Forget(log.span.Last.Add(-logMemory))
	}
	return logRead{asked: true, at: log.read, span: log.span.Clone(), why: log.why}
}
