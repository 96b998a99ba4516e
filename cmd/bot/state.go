package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"dhbot/internal/config"
	"dhbot/internal/local/adminsock"
	"dhbot/internal/store/etcdstore"
)

func stateCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "state", Short: "Back up and restore the bot's own state, and manage its key", Args: argCheck(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_ = cmd.Help()
			return misuse{errors.New("state needs backup, restore, key, adopt or rotate-key")}
		}}
	cmd.AddCommand(stateBackup(), stateRestore(), stateKey(), stateAdopt(), stateRotate())
	return cmd
}

func stateBackup() *cobra.Command {
	var configFile string
	cmd := &cobra.Command{
		Use: "backup FILE", Short: "Write the state and its archive into one file", Args: argCheck(cobra.ExactArgs(1)),
		Long: "Write the embedded state and its archive into one file, with the bot running or\nstopped. An external etcd is backed up with etcdctl instead; see\ndocs/state.md.",
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := loadOffline(configFile)
			if err != nil {
				return err
			}
			if err := writeWhole(args[0], func(w io.Writer) error { return backup(cmd.Context(), cfg, w) }); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "the state is backed up to %s; copy this file to another machine\n", args[0])
			return err
		},
	}
	configFlag(cmd, &configFile)
	return cmd
}

// backup requests a backup from the running bot, or makes it from the store itself if no
// bot runs.
func backup(ctx context.Context, cfg *config.Config, w io.Writer) error {
	if cfg.State.Etcd != nil {
		return etcdstore.ErrNotEmbedded
	}
	err := adminsock.NewClient(cfg.State.Dir).Get(ctx, "/backup", nil, w)
	if !errors.Is(err, adminsock.ErrNotRunning) {
		return err
	}
	return withStore(ctx, cfg, func(store *etcdstore.Store) error {
		_, err := store.Backup(ctx, w)
		return err
	})
}

// writeWhole writes a file completely, or leaves no file. It does not overwrite an existing file.
func writeWhole(name string, write func(io.Writer) error) error {
	if _, err := os.Lstat(name); err == nil {
		return fmt.Errorf("%s exists: name a new file", name)
	}
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".unfinished-*")
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

func stateRestore() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use: "restore FILE --dir DIR", Short: "Restore a backup", Args: argCheck(cobra.ExactArgs(1)),
		Long: "Restore a backup into a state directory, and verify the trail in it. The directory\nmust be empty or not exist; no bot may run on it.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if dir == "" {
				return misuse{errors.New("restore needs --dir, the state directory to create")}
			}
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelError}))
			m, report, err := etcdstore.Restore(cmd.Context(), f, filepath.Clean(dir), log)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "the state of %s is restored in %s; the trail is whole: %d entries, head #%d %s\n",
				m.At.Format("2006-01-02 15:04:05 MST"), dir, report.Entries, report.Head.N, report.Head.Hash)
			return err
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "the state `directory` to create")
	return cmd
}
