package sdnotify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
)

// Ready reports that the bot has started, or has finished reloading.
func Ready() error { return send(daemon.SdNotifyReady) }

// Stopping reports that the bot is stopping.
func Stopping() error { return send(daemon.SdNotifyStopping) }

// Reloading reports that the bot is reloading its config. Ready reports the end of the reload.
func Reloading() error {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return fmt.Errorf("sd_notify: %w", err)
	}
	return send(fmt.Sprintf("%s\nMONOTONIC_USEC=%d", daemon.SdNotifyReloading, now.Nano()/1000))
}

func send(state string) error {
	if _, err := daemon.SdNotify(false, state); err != nil {
		return fmt.Errorf("sd_notify: %w", err)
	}
	return nil
}

// Watchdog tells systemd that the bot is alive, twice in each interval of WatchdogSec=, until ctx
// ends. If stuck names a loop that hangs, Watchdog sends nothing, and systemd restarts the bot.
func Watchdog(ctx context.Context, stuck func(now time.Time) []string, log *slog.Logger) error {
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return fmt.Errorf("WATCHDOG_USEC: %w", err)
	}
	if every == 0 {
		return nil
	}
	tick := time.NewTicker(every / 2)
	defer tick.Stop()
	for {
		if why := stuck(time.Now()); len(why) > 0 {
			log.ErrorContext(ctx, "the watchdog is not answered, so systemd will restart the bot", "why", strings.Join(why, "; "))
		} else if err := send(daemon.SdNotifyWatchdog); err != nil {
			log.WarnContext(ctx, "the watchdog could not be answered", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Report logs errors of notifications. They are not fatal, because the bot can run without
// notifications.
func Report(log *slog.Logger, errs ...error) {
	if err := errors.Join(errs...); err != nil {
		log.Warn("systemd could not be notified", "err", err)
	}
}
