package main

import (
	"io"
	"maps"
	"strings"
	"testing"
)

const page = `
| case | result | why |
| --- | --- | --- |
| ` + "`[sig-network] LoadBalancers should work`" + ` | passed | |
| ` + "`[sig-network] LoadBalancers should fly`" + ` | failed | "two nodes at once" |
| ` + "`[sig-network] LoadBalancers should land`" + ` | passed or failed | |

| here | usual |
| --- | --- |
| 15 s | 50 s |
`

func TestParseTable(t *testing.T) {
	want := map[string]string{"[sig-network] LoadBalancers should work": "passed", "[sig-network] LoadBalancers should fly": "failed",
		"[sig-network] LoadBalancers should land": "passed or failed"}
	if got := parseTable(page); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestNameOf(t *testing.T) {
	for text, want := range map[string]string{
		"[sig-network] LoadBalancers [Feature:LoadBalancer] should work [Slow] [LinuxOnly]":      "[sig-network] LoadBalancers should work",
		"[sig-network] LoadBalancers ExternalTrafficPolicy: Local [Feature:LoadBalancer] should": "[sig-network] LoadBalancers ExternalTrafficPolicy: Local should",
	} {
		if got := nameOf(text); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestCompare(t *testing.T) {
	const work, fly = "[sig-network] LoadBalancers should work", "[sig-network] LoadBalancers should fly"
	for what, c := range map[string]struct {
		outcomes []outcome
		some     bool
		want     string // in the error; none if empty
	}{
		"as listed":          {outcomes: []outcome{{name: work, result: "passed"}, {name: fly, result: "failed"}}},
		"fails":              {outcomes: []outcome{{name: work, result: "failed", message: "oh"}, {name: fly, result: "failed"}}, want: "should work: failed"},
		"passes since":       {outcomes: []outcome{{name: work, result: "passed"}, {name: fly, result: "passed"}}, want: "should fly: passed"},
		"new":                {outcomes: []outcome{{name: "new", result: "passed"}}, some: true, want: "new: passed"},
		"not run":            {outcomes: []outcome{{name: work, result: "passed"}}, want: "should fly: in"},
		"not all were to be": {outcomes: []outcome{{name: work, result: "passed"}}, some: true},
	} {
		err := compare(parseTable(page), c.outcomes, c.some, io.Discard)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", what, err, c.want)
		}
	}
}
