package config

import (
	"fmt"
	"time"

	"dhbot/internal/strictyaml"
)

// Watch configures the background monitoring of a cluster.
type Watch struct {
	// Channel is the channel for incidents.
	Channel string
	// Every is the time between two checks. Quiet is how long a target must have been well before
	// an incident ends.
	Every, Quiet time.Duration
}

const (
	defaultEvery = 30 * time.Second
	defaultQuiet = 2 * time.Minute
)

// Incidents has the limits beyond which an observation is an incident.
type Incidents struct {
	// ErrorRate is the number of errors a minute in a log that counts as an incident if it lasts
	// for ErrorsFor.
	ErrorRate int
	ErrorsFor time.Duration
	// OwnStop is how long a process may stay down after a run stopped it, before this counts as
	// an incident.
	OwnStop time.Duration
}

// Defaults of Incidents (docs/watch.md).
const (
	defaultErrorRate = 10
	defaultErrorsFor = 5 * time.Minute
	defaultOwnStop   = 30 * time.Minute
)

func (b *builder) readIncidents(v strictyaml.Value) {
	o := v.Object(keysOf[incidentKeys]()...)
	b.config.Incidents = Incidents{
		ErrorRate: o.Get("error_rate").Number(1, 10_000, defaultErrorRate),
		ErrorsFor: o.Get("errors_for").Duration(time.Minute, 15*time.Minute, defaultErrorsFor),
		OwnStop:   o.Get("own_stop").Duration(time.Minute, 24*time.Hour, defaultOwnStop),
	}
}

// watched is a cluster's monitoring, and where the config file defines it.
type watched struct {
	strictyaml.Value
	cluster string
}

// readWatch reads the background monitoring of a cluster. Monitoring is on if a channel is
// named.
func (b *builder) readWatch(cluster string, v strictyaml.Value) {
	if !v.There() {
		return
	}
	o := v.Object(keysOf[watchKeys]()...)
	w := Watch{
		Every: o.Get("every").Duration(5*time.Second, 10*time.Minute, defaultEvery),
		Quiet: o.Get("quiet").Duration(10*time.Second, time.Hour, defaultQuiet),
	}
	at := o.Need("channel", "write the id (C…) of the channel in which incidents of "+cluster+" are posted, or remove the watch")
	if w.Channel = at.Text(); w.Channel == "" {
		return
	}
	if !channelID.MatchString(w.Channel) {
		at.Problem(fmt.Sprintf("%q is not a channel id", w.Channel), channelIs)
	}
	if b.config.Watches == nil {
		b.config.Watches = map[string]Watch{}
	}
	b.config.Watches[cluster] = w
	b.watched = append(b.watched, watched{at, cluster})
}

// checkWatches warns if incidents of a cluster are posted in a channel of another cluster,
// because a name typed there would mean a process of the wrong cluster. The channels must have
// been read before.
func (b *builder) checkWatches() {
	for _, w := range b.watched {
		if bound := b.config.Slack.Channels[w.Text()]; bound != "" && bound != w.cluster {
			w.Warning(fmt.Sprintf("incidents of %s are posted in a channel of another cluster, %s (slack.channels)", w.cluster, bound),
				"name a channel of "+w.cluster)
		}
	}
}

// WatchLines reports for each cluster whether it has background monitoring.
func (c *Config) WatchLines() []string {
	var out []string
	for _, cl := range c.Fleet.Clusters {
		w, on := c.Watches[cl.Name]
		if !on {
			out = append(out, fmt.Sprintf("%s has no background monitoring: clusters.%s.watch has no channel", cl.Name, cl.Name))
			continue
		}
		out = append(out, fmt.Sprintf("%s has background monitoring: every %s, incidents are posted in %s and end after %s without problems", cl.Name, strictyaml.Short(w.Every), w.Channel, strictyaml.Short(w.Quiet)))
	}
	return out
}
