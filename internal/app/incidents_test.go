package app

import (
	"testing"
	"time"

	"dhbot/internal/config"
	"dhbot/internal/status"
)

// What the config says of incidents, and of the way to the hosts, is what the
// assessment goes by.
func TestConfigureAssessment(t *testing.T) {
	cfg := &config.Config{Incidents: config.Incidents{ErrorRate: 3, ErrorsFor: 2 * time.Minute, OwnStop: time.Hour}}
	cfg.SSH.ProxyJump = "dhops@jump-1:2222"
	c := Configure(cfg, nil, Options{})
	if want := (status.Policy{ErrorRate: 3, ErrorsFor: 2 * time.Minute, OwnStop: time.Hour}); c.Assess != want || c.Jump != "jump-1" {
		t.Errorf("%+v, by %q", c.Assess, c.Jump)
	}
}
