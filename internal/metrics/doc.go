// Package metrics has the Prometheus metrics of the bot and of the processes that it monitors,
// and the HTTP listener that serves them. Label values come from the config, the catalog or a
// fixed set. They never come from text of people or output of hosts, so neither can increase the
// number of series.
//
// # Files
//
//   - metrics.go: metrics that are counted when something happens: names, labels, buckets
//   - snapshot.go: metrics that are read at each scrape, and how long that may take
//   - listener.go: the paths /metrics, /healthz, /readyz and the profiles
package metrics
