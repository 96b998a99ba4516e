package etcdstore_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"dhbot/internal/store/etcdconn"
	"dhbot/internal/store/etcdstore"
)

func TestConfigRefused(t *testing.T) {
	for name, c := range map[string]etcdstore.Config{
		"nowhere":                {},
		"both":                   {Dir: "/tmp/x", Endpoints: []string{"http://127.0.0.1:1"}},
		"prefix":                 {Dir: "/tmp/x", Prefix: "dhbot"},
		"replica name":           {Dir: "/tmp/x", Replica: "a/b"},
		"half a second":          {Dir: "/tmp/x", LeaseTTL: 1500 * time.Millisecond},
		"negative timeout":       {Dir: "/tmp/x", Timeout: -1},
		"open network":           {Endpoints: []string{"http://10.0.0.5:2379"}},
		"a host name over http":  {Endpoints: []string{"http://etcd.example:2379"}},
		"https without a CA":     {Endpoints: []string{"https://etcd.example:2379"}},
		"https on loopback":      {Endpoints: []string{"https://127.0.0.1:2379"}},
		"no scheme":              {Endpoints: []string{"etcd.example:2379"}},
		"password in the URL":    {Endpoints: []string{"http://u:p@127.0.0.1:2379"}},
		"cert without key":       {Endpoints: []string{"https://h:1"}, TLS: etcdconn.TLS{CA: "ca", Cert: "c"}},
		"user without password":  {Endpoints: []string{"http://127.0.0.1:1"}, User: "u"},
		"CA file does not exist": {Endpoints: []string{"https://h:1"}, TLS: etcdconn.TLS{CA: "/nonexistent/ca.pem"}},
	} {
		if s, err := etcdstore.Open(t.Context(), c); err == nil {
			s.Close()
			t.Errorf("%s: the store was opened, want an error", name)
		} else if strings.Contains(err.Error(), "u:p@") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The name localhost is accepted like the addresses of loopback.
func TestConfigLocalhost(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // so only the config is checked
	if _, err := etcdstore.Open(ctx, etcdstore.Config{Endpoints: []string{"http://localhost:2379"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestConfigReportsEverything(t *testing.T) {
	_, err := etcdstore.Open(t.Context(), etcdstore.Config{Prefix: "x", Replica: "a b", User: "u"})
	if err == nil || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("want four problems, a line each, got: %v", err)
	}
}
