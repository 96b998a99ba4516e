package main

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"dhbot/internal/app"
	"dhbot/internal/config"
	"dhbot/internal/store/etcdstore"
	"dhbot/internal/store/sign"
)

func stateKey() *cobra.Command {
	return &cobra.Command{
		Use: "key FILE", Short: "Make a key for the state", Args: argCheck(cobra.ExactArgs(1)),
		Long: "Make a key that signs the state, in a file that is not there yet. Replicas that\nshare an etcd all have the same file (state.key_file). An embedded store makes its\nown at the first start.",
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := sign.Create(args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "key %s in %s; heads verify with\n%s\n", key.ID(), args[0], key.Public())
			return err
		},
	}
}

func stateAdopt() *cobra.Command {
	var configFile string
	cmd := &cobra.Command{
		Use: "adopt", Short: "Take over a state whose key is lost", Args: argCheck(cobra.NoArgs),
		Long: "Take over a state that was signed with a key that is lost, while no bot runs.\nEvery open run is closed at the next start, with its locks kept until its targets\nwere looked at; deliveries that were not handled are dropped.",
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
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "the state is adopted; start the bot: it closes what was open and says so in the audit channel")
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
		Long: "Give the state a new key, while no bot runs, and sign anew what the old one\nsigned. The old public key goes on to verify old heads. Run it again if it was\ninterrupted; replicas that share an etcd get the new file before they start.",
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
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "key %s signs from now on; heads verify with\n%s\n", key.ID(), key.Public())
			return err
		},
	}
	configFlag(cmd, &configFile)
	return cmd
}

// ownStore is the store of a config, for commands that change its key.
func ownStore(configFile string) (etcdstore.Config, error) {
	cfg, err := loadConfig(configFile)
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
