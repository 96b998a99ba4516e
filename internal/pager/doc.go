// Package pager sends alerts by webhook, either to PagerDuty's Events API v2 or to Alertmanager's
// API v2.
package pager
