// Package codes defines what an error code of Slack's Web API means for the bot: which calls to
// retry, what to show to a person, and after which codes a token no longer works. The codes come
// from the methods' own documentation pages.
package codes
