// Package slacklocal is a Slack workspace on loopback, for the demo and for
// tests. Slack's own clients (slack-go, @slack/bolt, @slack/socket-mode,
// slack_sdk) work against it unchanged: point their API URL at APIURL and give
// them AppToken and BotToken.
//
// It is a real server with Slack's protocol, limits and time-outs. Socket Mode has single-use
// tickets and pings, and expects an ack within 3 s. It delivers an event without an ack again, but
// no other payload. The Web API has Slack's error codes, rate limits (HTTP 429), and limits on
// text, blocks and files. Response URLs and trigger ids expire. The server enforces what Slack
// documents and what was observed with the official clients. If Slack gives an approximate limit,
// the constant here has a comment.
//
// It has three endpoints:
//
//	/api/METHOD   the Web API; ok:false is still HTTP 200, as in Slack
//	/link/        the WebSocket of Socket Mode
//	/local/…      actions and views of people, and faults to inject (see local.go)
//
// and a page at / on which a user can act as any person. The server has no access control, so any
// client that reaches the port can act as anyone. It therefore listens on loopback only, and
// refuses requests from pages of other origins.
//
// # Files
//
//   - server.go: start, stop, addresses and tokens of the server
//   - workspace.go, channel.go: people, channels, an Enterprise Grid, changes of a channel
//   - room.go: the messages of a channel, and who sees which
//   - api.go: the methods of the Web API with their scopes, tokens, arguments
//   - api_chat.go, api_directory.go, api_presence.go: the methods by subject
//   - files.go, views.go: files; modals and the Home tab
//   - limits.go, passes.go: rates of methods; tickets, trigger ids and response URLs, and when
//     they expire
//   - blocks.go, elements.go: Slack's rules for blocks
//   - socket.go, hub.go: Socket Mode: a connection, the choice of one, redelivery
//   - hook.go: response URLs
//   - act.go, form.go, shortcut.go: what people do: commands, mentions, taps, forms, shortcuts
//   - target.go, inputs.go: which button or input is meant, and the state of a form
//   - notified.go: whom a message notifies
//   - faults.go: the faults
//   - local.go, feed.go, page.go: the endpoints below /local/, the page and its events
package slacklocal
