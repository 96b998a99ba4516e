package hostsim

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
)

// HostView is one host in the answer to GET /hosts.
type HostView struct {
	Name      string        `json:"name"`
	Address   string        `json:"address"`
	Up        bool          `json:"up"` // the host accepts connections
	Processes []ProcessView `json:"processes"`
}

// ProcessView is one process: its real pid, and the status that its supervisor shows.
type ProcessView struct {
	ID     string `json:"id"`
	PID    int    `json:"pid"`    // 0: the process does not run
	Status string `json:"status"` // monit's status text, or systemd's active state
}

// Hosts returns the current state of every host.
func (c *Cluster) Hosts() []HostView {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.world.advance(c.now())
	var out []HostView
	for _, h := range c.hosts {
		h.mu.Lock()
		v := HostView{Name: h.spec.Name, Address: h.address, Up: h.listener != nil}
		h.mu.Unlock()
		for _, id := range h.spec.Processes {
			if p := h.model.process(id); p != nil {
				v.Processes = append(v.Processes, ProcessView{ID: id, PID: p.pid, Status: p.status()})
			} else if u := h.model.unit(id); u != nil {
				active, _ := u.state.states()
				v.Processes = append(v.Processes, ProcessView{ID: id, PID: u.pid, Status: active})
			}
		}
		out = append(out, v)
	}
	return out
}

// faultRequest is the body of POST /fault.
type faultRequest struct {
	Host    string   `json:"host"`
	Process string   `json:"process"`
	Fault   string   `json:"fault"`
	Args    []string `json:"args"`
}

// Handler returns the control API of a running cluster. GET /executed and GET /hosts answer with
// JSON. POST /fault takes {"host","process","fault","args"}, and answers 204, or 400 with an error
// text. It requires the content type application/json, because web pages of other sites cannot send
// that type unnoticed.
func (c *Cluster) Handler() http.Handler {
	mux := http.NewServeMux()
	local := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A malicious web page could let its own host name resolve to this address (DNS rebinding).
		if !loopbackHost(r.Host) {
			http.Error(w, "hostsim answers to 127.0.0.1 and localhost only", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
	mux.HandleFunc("GET /executed", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, c.Executed()) })
	mux.HandleFunc("GET /hosts", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, c.Hosts()) })
	mux.HandleFunc("POST /fault", c.postFault)
	return local
}

// loopbackHost reports whether a Host header is localhost or a loopback address.
func loopbackHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (c *Cluster) postFault(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Content-Type") != "application/json" {
		http.Error(w, "hostsim: send the fault as application/json", http.StatusUnsupportedMediaType)
		return
	}
	var f faultRequest
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		http.Error(w, fmt.Sprintf("hostsim: cannot read the fault: %v", err), http.StatusBadRequest)
		return
	}
	if err := c.Fault(f.Host, f.Process, f.Fault, f.Args...); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // an error means that the client has gone
}
