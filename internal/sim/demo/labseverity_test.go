package demo_test

import "testing"

// TestLabSeverity checks severities on real hosts, with dependencies and with errors in logs. It
// also checks that a process that is down during maintenance causes no incident.
func TestLabSeverity(t *testing.T) {
	real := lab(t)
	control(t, "clear", "infra", "db_ltds")
	play(t, real, `
operator: /dh status db_dis
expect 20s log
expect Sev 0
operator: /dh deps web_api_service
expect 20s Dependencies of web_api_service ·
operator: /dh stop db_ltds because of a test of maintenance
expect 120s Done
operator: /dh status db_ltds
expect 20s Not monitored
operator: /dh maintenance db_ltds 10m because of a test of maintenance
expect Maintenance of db_ltds
operator: /dh status db_ltds
expect 20s Sev 0 · None · Not monitored, in maintenance
operator: /dh maintenance db_ltds end
expect ended by operator
operator: /dh start db_ltds
expect 180s Done
operator: /dh status db_ltds
expect 20s Sev 0 · None · Running
verify audit
`)
}
