package config

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestIncidents(t *testing.T) {
	data, err := os.ReadFile("../../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, _ := Parse("dhbot.yaml", data)
	if want := (Incidents{10, 5 * time.Minute, 30 * time.Minute}); c.Incidents != want {
		t.Errorf("without the keys: %+v", c.Incidents)
	}
	set := "incidents: {error_rate: 60, errors_for: 10m, own_stop: 2h}\n" + string(data)
	if c, problems := Parse("dhbot.yaml", []byte(set)); c.Incidents != (Incidents{60, 10 * time.Minute, 2 * time.Hour}) {
		t.Errorf("%+v, %v", c.Incidents, problems)
	}
	for _, wrong := range []string{"error_rate: 0", "errors_for: 10s", "own_stop: 3d", "rate: 3"} {
		if _, problems := Parse("dhbot.yaml", []byte("incidents: {"+wrong+"}\n"+string(data))); !strings.Contains(problems.Error(), "incidents") {
			t.Errorf("%s: %v", wrong, problems)
		}
	}
}
