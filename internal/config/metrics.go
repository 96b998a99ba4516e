package config

import (
	"net"

	"dhbot/internal/store/endpoint"
	"dhbot/internal/strictyaml"
)

// Metrics configures the HTTP listener for your monitoring. If Listen is "", there is no
// listener.
type Metrics struct {
	Listen string // host:port
	Pprof  bool
}

func (b *builder) readMetrics(v strictyaml.Value) {
	if !v.There() {
		return
	}
	o := v.Object(keysOf[metricsKeys]()...)
	m := &b.config.Metrics
	at := o.Need("listen", "write the address to listen on, such as 127.0.0.1:9095")
	if m.Listen = at.Text(); m.Listen == "" {
		return
	}
	host, port, err := net.SplitHostPort(m.Listen)
	if err != nil || port == "" {
		at.Problem(strictyaml.Quote(m.Listen)+" is not an address to listen on", "write host:port, such as 127.0.0.1:9095, or 0.0.0.0:9095 in a container")
		return
	}
	pprof := o.Get("pprof")
	m.Pprof = pprof.Boolean()
	if m.Pprof && !endpoint.Loopback(host) {
		pprof.Warning("anyone who can connect to "+m.Listen+" can read profiles of the bot, and slow the bot down", "listen on 127.0.0.1, or switch pprof off again when you are done")
	}
}
