package config

import (
	"fmt"
	"os"
	"strings"
)

// The lines of `bot check` about background monitoring, for the example config and for a
// config without a channel.
func ExampleConfig_WatchLines() {
	data, err := os.ReadFile("../../config.example.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	off := strings.Replace(string(data), "watch: {channel: C0INCIDENT, every: 30s, quiet: 2m}", "", 1)
	for _, text := range []string{string(data), off} {
		c, _ := Parse("dhbot.yaml", []byte(text))
		fmt.Println(strings.Join(c.WatchLines(), "\n"))
	}
	// Output:
	// prod has background monitoring: every 30s, incidents are posted in C0INCIDENT and end after 2m without problems
	// prod has no background monitoring: clusters.prod.watch has no channel
}
