package engine

import (
	"reflect"
	"testing"
	"time"

	"dhbot/internal/remote"
	"dhbot/runbooks"
)

// A command is sent to the approved address, with the approved login and jump
// hosts.
func TestCommandOf(t *testing.T) {
	got := CommandOf(runbooks.Step{
		Kind: runbooks.Exec, Host: "infra-1", Address: "10.0.0.5:22", Login: "dhops", Via: "a@b:22",
		Sent: "true", Timeout: runbooks.Duration(time.Minute),
	})
	want := remote.Command{
		Host: "infra-1", Address: "10.0.0.5:22", Login: "dhops", Via: "a@b:22", Sent: "true", Timeout: time.Minute, Changes: true,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}
