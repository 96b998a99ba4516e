package config

import (
	"fmt"
	"os"
	"strings"
)

// What `bot check` says of the background watch, of the example and of a file
// that names no channel.
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
	// prod is watched in the background: looked at every 30s, incidents are told in C0INCIDENT and over after 2m of quiet
	// prod is not watched in the background: clusters.prod.watch names no channel
}
