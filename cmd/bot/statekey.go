package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/spf13/cobra"

	"dhbot/internal/app"
	"dhbot/internal/config"
	"dhbot/internal/store/etcdstore"
	"dhbot/internal/store/sign"
)

func stateKey() *cobra.Command {
	return &cobra.Command{
		Use: "key FILE", Short: "Make a key for the state, or show the public key", Args: argCheck(cobra.ExactArgs(1)),
		Long: "Make a key that signs the state, in a new file. Replicas that share an etcd need the\nsame file (state.key_file). An embedded store makes its own key at the first start.\n\nIf the file already has a key, the command changes nothing and prints the public key, for\n`bot audit verify --key`.",
		RunE: func(cmd *cobra.Command, args []string) error {
			where := "key %s is in %s"
			key, err := sign.Create(args[0])
			if errors.Is(err, fs.ErrExist) {
				where = "%[2]s exists and is not changed; it has key %[1]s"
				key, err = sign.Load(args[0])
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), where+"; the public key that verifies heads is\n%[3]s\n", key.ID(), args[0], key.Public())
			return err
		},
	}
}

func stateAdopt() *cobra.Command {
	var configFile string
	cmd := &cobra.Command{
		Use: "adopt", Short: "Adopt a state whose key is lost", Args: argCheck(cobra.NoArgs),
		Long: "Adopt a state that was signed with a lost key, while no bot runs. At the next start the\nbot closes every open run, and drops Slack messages that it has not handled yet. It keeps\nthe locks of each run until it has checked the targets of the run.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := ownStore(configFile)
			if err != nil {
				return err
			}
			c.Adopt = true
			store, err := etcdstore.Open(cmd.Context(), c)
			if err != nil {
				return err
			}
			if err := store.Close(); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "the state is adopted; start the bot: it closes open runs and reports this in the audit channel")
			return err
		},
	}
	configFlag(cmd, &configFile)
	return cmd
}

func stateRotate() *cobra.Command {
	var configFile string
	cmd := &cobra.Command{
		Use: "rotate-key", Short: "Give the state a new key", Args: argCheck(cobra.NoArgs),
		Long: "Give the state a new key, while no bot runs, and sign the stored values again. The old\npublic key still verifies old heads. Run the command again if it was interrupted. Copy\nthe new key file to all replicas that share an etcd before they start.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := ownStore(configFile)
			if err != nil {
				return err
			}
			if err := etcdstore.Rotate(cmd.Context(), c); err != nil {
				return err
			}
			key, err := sign.Load(c.KeyFile)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "key %s signs from now on; the public key that verifies heads is\n%s\n", key.ID(), key.Public())
			return err
		},
	}
	configFlag(cmd, &configFile)
	return cmd
}

// ownStore is the store of a config, for commands that change its key.
func ownStore(configFile string) (etcdstore.Config, error) {
	cfg, err := loadOffline(configFile)
	if err != nil {
		return etcdstore.Config{}, err
	}
	return storeOf(cfg)
}

func storeOf(cfg *config.Config) (etcdstore.Config, error) {
	c := app.StoreConfig(cfg, "bot", slog.New(slog.DiscardHandler))
	if c.KeyFile == "" {
		return c, errors.New("the config names no key (state.key_file)")
	}
	return c, nil
}
