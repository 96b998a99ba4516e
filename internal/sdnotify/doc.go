// Package sdnotify implements sd_notify(3): it notifies systemd when the bot has started,
// reloads and stops, and answers its watchdog. Without systemd it does nothing.
package sdnotify
