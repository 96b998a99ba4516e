package etcd

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dhbot/internal/remote"
)

// Listed is a member in the cluster's own list of members. A listed member may be stopped, and may
// be missing in the client's endpoints.
type Listed struct {
	ID      uint64   `json:"id"`
	Name    string   `json:"name,omitempty"` // "" if it never started
	Peers   []string `json:"peers,omitempty"`
	Clients []string `json:"clients,omitempty"`
	Learner bool     `json:"learner,omitempty"`
}

// ReadMembers parses `etcdctl member list`, as JSON or in etcdctl's simple format.
func ReadMembers(r remote.Result) ([]Listed, error) {
	if r.Exit != 0 {
		return nil, failed(r)
	}
	var list struct {
		Members []struct {
			ID         uint64   `json:"ID"`
			Name       string   `json:"name"`
			PeerURLs   []string `json:"peerURLs"`
			ClientURLs []string `json:"clientURLs"`
			IsLearner  bool     `json:"isLearner"`
		} `json:"members"`
	}
	if err := decode(r, &list, "members"); err != nil {
		return readSimple(r)
	}
	var out []Listed
	for _, m := range list.Members {
		out = append(out, Listed{ID: m.ID, Name: m.Name, Peers: m.PeerURLs, Clients: m.ClientURLs, Learner: m.IsLearner})
	}
	if len(out) == 0 {
		return nil, errors.New("etcdctl lists no member")
	}
	return out, nil
}

// readSimple parses lines such as "8e9e05c52164694d, started, name, peers, clients, false". The
// last field is missing in etcd 3.3.
func readSimple(r remote.Result) ([]Listed, error) {
	var out []Listed
	for _, line := range unread(r.Stdout) {
		f := strings.Split(line, ", ")
		id, err := strconv.ParseUint(f[0], 16, 64)
		if err != nil || len(f) < 5 || len(f) > 6 {
			return nil, fmt.Errorf("etcdctl's list of members could not be parsed: %s", line)
		}
		out = append(
			out, Listed{
				ID:      id,
				Name:    f[2],
				Peers:   split(f[3]),
				Clients: split(f[4]),
				Learner: len(f) == 6 && strings.TrimSpace(f[5]) == "true",
			},
		)
	}
	if len(out) == 0 {
		return nil, errors.New("etcdctl lists no member")
	}
	return out, nil
}

func split(urls string) []string {
	return slices.DeleteFunc(strings.Split(urls, ","), func(u string) bool { return u == "" })
}

// hosts returns the names and addresses of a member.
func (m Listed) hosts() []string {
	out := []string{m.Name}
	for _, u := range slices.Concat(m.Clients, m.Peers) {
		out = append(out, hostOf(u))
	}
	return out
}

// at reports whether an endpoint of the client has the host and port of one of the member's client
// URLs.
func (m Listed) at(endpoint string) bool {
	return slices.ContainsFunc(m.Clients, func(u string) bool { return strings.EqualFold(hostPort(u), hostPort(endpoint)) })
}

// Voters counts the members that vote.
func Voters(list []Listed) (n int) {
	for _, m := range list {
		if !m.Learner {
			n++
		}
	}
	return n
}
