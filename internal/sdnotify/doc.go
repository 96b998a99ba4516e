// Package sdnotify implements sd_notify(3). It tells systemd when the bot has started, reloads or
// stops, and regularly that the bot is alive. Without systemd it does nothing.
package sdnotify
