package endpoint

import (
	"errors"
	"testing"
)

func TestCheck(t *testing.T) {
	for text, want := range map[string]error{
		"https://state-1.example.com:2379": nil,
		"https://[fd00::5]:2379":           nil,
		"https://127.0.0.1:2379":           ErrCA,
		"https://localhost:2379":           ErrCA,
		"http://127.0.0.1:2379":            nil,
		"http://[::1]:2379":                nil,
		"http://localhost:2379":            nil,
		"http://10.0.0.5:2379":             ErrPlain,
		"http://localhost.example:2379":    ErrPlain,
		"https://state-1.example.com":      ErrForm,
		"https://u:p@127.0.0.1:2379":       ErrForm,
		"https://127.0.0.1:2379/x":         ErrForm,
		"https://127.0.0.1:2379?x":         ErrForm,
		"state-1.example.com:2379":         ErrForm,
		"unix:///run/etcd":                 ErrForm,
		"":                                 ErrForm,
	} {
		ca := "ca.pem"
		if want == ErrCA {
			ca = ""
		}
		got := Check(text)
		if got == nil {
			got = CheckCA(text, ca)
		}
		if !errors.Is(got, want) || want != nil && Instead[want] == "" {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	if err := CheckCA("http://127.0.0.1:2379", ""); err != nil {
		t.Errorf("http without a CA: %v", err)
	}
}
