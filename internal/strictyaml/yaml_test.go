package strictyaml_test

import (
	"fmt"
	"time"

	"dhbot/internal/strictyaml"
)

const site = `
title: a site
name:
level: 7
kind: exce
wait: 90
run: [tail, -n, 500, ""]
tilte: x
title: again
`

// read parses the sample, and prints some of the values and all problems.
func read(strict bool) {
	r := strictyaml.Reader{File: "site.yaml", Strict: strict}
	var (
		title, name, kind string
		level             int
		wait              time.Duration
		run               []string
	)
	text := strictyaml.Value.Word
	r.Parse([]byte(site)).Read(strictyaml.Fields{
		"title": strictyaml.Into(&title, text),
		"name":  strictyaml.Into(&name, text),
		"level": strictyaml.Into(&level, func(v strictyaml.Value) int { return v.Number(1, 3, 1) }),
		"kind":  strictyaml.Into(&kind, strictyaml.OneOf("exec", "wait")),
		"wait":  strictyaml.Into(&wait, func(v strictyaml.Value) time.Duration { return v.Duration(time.Second, time.Minute, 15*time.Second) }),
		"run":   strictyaml.Into(&run, strictyaml.Value.Words),
	})
	r.Problems.Sort()
	fmt.Printf("%q %q\n%v\n", title, run, r.Problems)
}

// All problems are found at once. Each has its place, its key and the fix.
func ExampleValue_Read() {
	read(true)
	// Output:
	// "a site" ["tail" "-n" "500" ""]
	// site.yaml:3:1: name: this has no value; write a value, or remove the key
	// site.yaml:4:1: level: this number is out of range; write a whole number from 1 to 3
	// site.yaml:5:1: kind: "exce" is not possible here; did you mean exec?
	// site.yaml:6:1: wait: this is not a duration, or it is out of range; write a time from 1s to 1m, such as 15s
	// site.yaml:8:1: tilte: there is no key "tilte" here; did you mean title?
	// site.yaml:9:1: title: this key is here twice; keep one of them
}

// A reader that is not strict treats a key without a value as missing.
func ExampleReader() {
	read(false)
	// Output:
	// "a site" ["tail" "-n" "500" ""]
	// site.yaml:4:1: level: this number is out of range; write a whole number from 1 to 3
	// site.yaml:5:1: kind: "exce" is not possible here; did you mean exec?
	// site.yaml:6:1: wait: this is not a duration, or it is out of range; write a time from 1s to 1m, such as 15s
	// site.yaml:8:1: tilte: there is no key "tilte" here; did you mean title?
	// site.yaml:9:1: title: this key is here twice; keep one of them
}
