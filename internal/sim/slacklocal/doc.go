// Package slacklocal is a Slack workspace on loopback, for the demo and for
// tests. Slack's own clients (slack-go, @slack/bolt, @slack/socket-mode,
// slack_sdk) work against it unchanged: point their API URL at APIURL and give
// them AppToken and BotToken.
//
// It is a real server that keeps Slack's protocol, limits and clocks: Socket
// Mode with single-use tickets, pings, acks within 3 s, redelivery of events
// and of nothing else; the Web API with its error words, its 429s and its
// limits on text, blocks and files; response URLs and trigger ids that run
// out. What it enforces is what Slack documents and what the official clients
// were seen to meet; where Slack says "about", the constant here says so.
//
// Three doors:
//
//	/api/METHOD   the Web API; ok:false is still HTTP 200, as at Slack
//	/link/        the WebSocket of Socket Mode
//	/local/…      what people do and see, and faults to inject (see local.go)
//
// and a page at / on which one acts as any of the people. It guards nothing:
// whoever reaches the port is anyone. That is why it listens on loopback only
// and answers no page of another origin.
package slacklocal
