// Package slackio is the Slack client: sockets, acknowledgements, rendering of cards as Block Kit,
// posting within Slack's rate limits, files, and people's identities. It is the only production
// importer of slack-go.
package slackio
