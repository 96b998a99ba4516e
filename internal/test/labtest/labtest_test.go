package labtest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	got, err := parse(strings.NewReader(`# the lab
Host infra
  HostName 10.0.0.1
  Port 2222
  User ops
  IdentityFile "/keys/ops"
  UserKnownHostsFile /keys/known
  BatchMode yes
Host query1
  Port 2223
  HostName 10.0.0.2
  User ops
  IdentityFile /keys/ops
  UserKnownHostsFile /keys/known
`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Host{
		"infra":  {Address: "10.0.0.1:2222", Login: "ops", KeyFile: "/keys/ops", KnownHosts: "/keys/known"},
		"query1": {Address: "10.0.0.2:2223", Login: "ops", KeyFile: "/keys/ops", KnownHosts: "/keys/known"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"empty":      "",
		"pattern":    "Host *\n  User ops\n",
		"match":      "Match host infra\n  User ops\n",
		"incomplete": "Host infra\n  HostName 10.0.0.1\n",
	} {
		if got, err := parse(strings.NewReader(text)); err == nil {
			t.Errorf("%s: parsed to %v, want an error", name, got)
		}
	}
}
