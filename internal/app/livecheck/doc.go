// Package livecheck checks a config against the world for bot check --live: that
// Slack accepts the tokens, that each host can be reached and knows the account,
// that sudo allows what the catalogs run, that pagers answer. It changes nothing.
package livecheck
