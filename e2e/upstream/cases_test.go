package main

import (
	"io"
	"maps"
	"strings"
	"testing"
)

const (
	work = "[sig-network] LoadBalancers should work"
	fly  = "[sig-network] LoadBalancers should fly"
	land = "[sig-network] LoadBalancers should land"
)

const page = `
| case | result | why |
| --- | --- | --- |
| ` + "`" + work + "`" + ` | passed | |
| ` + "`" + fly + "`" + ` | failed | "two nodes at once" |
| ` + "`" + land + "`" + ` | skipped | |

| here | usual |
| --- | --- |
| 15 s | 50 s |
`

func TestParseTable(t *testing.T) {
	want := map[string]string{work: "passed", fly: "failed", land: "skipped"}
	if got := parseTable(page); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestNameOf(t *testing.T) {
	for text, want := range map[string]string{
		"[sig-network] LoadBalancers [Feature:LoadBalancer] should work [Slow] [LinuxOnly]":      work,
		"[sig-network] LoadBalancers ExternalTrafficPolicy: Local [Feature:LoadBalancer] should": "[sig-network] LoadBalancers ExternalTrafficPolicy: Local should",
	} {
		if got := nameOf(text); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestCompare(t *testing.T) {
	for what, c := range map[string]struct {
		results map[string]string
		some    bool
		want    string // in the error; none if empty
	}{
		"as listed":          {results: map[string]string{work: "passed", fly: "failed", land: "skipped"}},
		"fails":              {results: map[string]string{work: "failed", fly: "failed", land: "skipped"}, want: "should work: failed"},
		"passes since":       {results: map[string]string{work: "passed", fly: "passed", land: "skipped"}, want: "should fly: passed"},
		"not skipped":        {results: map[string]string{work: "passed", fly: "failed", land: "failed"}, want: "should land: failed"},
		"new":                {results: map[string]string{"new": "passed"}, some: true, want: "new: passed"},
		"not run":            {results: map[string]string{work: "passed", land: "skipped"}, want: "should fly: in"},
		"not all were to be": {results: map[string]string{work: "passed"}, some: true},
	} {
		var outcomes []outcome
		for name, result := range c.results {
			outcomes = append(outcomes, outcome{name: name, result: result})
		}
		err := compare(parseTable(page), outcomes, c.some, io.Discard)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", what, err, c.want)
		}
	}
}
