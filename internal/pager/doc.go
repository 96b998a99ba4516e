// Package pager sends alerts by webhook: PagerDuty's Events API v2, or the alerts of
// Alertmanager's API v2.
package pager
