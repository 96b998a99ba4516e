package app

import (
	"testing"
	"time"

	"dhbot/internal/config"
	"dhbot/internal/status"
)

// The assessment uses the config's settings about incidents and jump hosts.
func TestConfigureAssessment(t *testing.T) {
	cfg := &config.Config{Incidents: config.Incidents{ErrorRate: 3, ErrorsFor: 2 * time.Minute, OwnStop: time.Hour}}
	cfg.SSH.ProxyJump = "dhops@jump-1:2222"
	c := Configure(cfg, nil, Options{})
	if want := (status.Policy{ErrorRate: 3, ErrorsFor: 2 * time.Minute, OwnStop: time.Hour}); c.Assess != want || c.Jump != "jump-1" {
		t.Errorf("%+v, by %q", c.Assess, c.Jump)
	}
}
