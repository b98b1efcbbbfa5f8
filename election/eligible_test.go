package election

import (
	"slices"
	"strings"
	"testing"
)

func TestEligible(t *testing.T) {
	cluster := []Node{
		{Name: "a", Alive: true},
		{Name: "b", Alive: true},
		{Name: "c", Alive: true},
		{Name: "dead"},
		{Name: "excluded", Alive: true, Excluded: true},
		{Name: "leaving", Alive: true, Leaving: true},
	}
	ready := func(node string) Endpoint { return Endpoint{Node: node, Ready: true, Serving: true} }
	draining := func(node string) Endpoint { return Endpoint{Node: node, Serving: true, Terminating: true} }
	local := func(endpoints ...Endpoint) Service { return Service{Local: true, Endpoints: endpoints} }
	tests := map[string]struct {
		holders []Service
		want    string
	}{
		"nobody in particular":              {nil, "a b c"},
		"cluster policy":                    {[]Service{{}}, "a b c"},
		"cluster policy asks no endpoint":   {[]Service{{Endpoints: []Endpoint{ready("a")}}}, "a b c"},
		"local":                             {[]Service{local(ready("c"), ready("a"))}, "a c"},
		"local without endpoints":           {[]Service{local()}, ""},
		"local on nodes that may not":       {[]Service{local(ready("dead"), ready("excluded"), ready("leaving"))}, ""},
		"local on an unknown node":          {[]Service{local(ready(""), ready("elsewhere"))}, ""},
		"not ready":                         {[]Service{local(Endpoint{Node: "a", Serving: true})}, ""},
		"terminating and not serving":       {[]Service{local(Endpoint{Node: "a", Terminating: true})}, ""},
		"terminating while another is not":  {[]Service{local(draining("a"), ready("b"))}, "b"},
		"terminating while none is ready":   {[]Service{local(draining("a"), Endpoint{Node: "b"})}, "a"},
		"ready anywhere, if on a dead node": {[]Service{local(draining("a"), ready("dead"))}, ""},
		"shared by two":                     {[]Service{local(ready("a"), ready("b")), local(ready("b"), ready("c"))}, "b"},
		"shared, one with cluster policy":   {[]Service{local(ready("a")), {}}, "a"},
		"shared without common ground":      {[]Service{local(ready("a")), local(ready("b"))}, ""},
	}
	for name, test := range tests {
		if got := Eligible(cluster, test.holders...); !slices.Equal(got, strings.Fields(test.want)) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// Nobody alive is no reason to give every address up.
func TestEligibleWhenNobodyIsAlive(t *testing.T) {
	dead := []Node{{Name: "a"}, {Name: "b"}, {Name: "excluded", Excluded: true}, {Name: "leaving", Leaving: true}}
	onB := Service{Local: true, Endpoints: []Endpoint{{Node: "b", Ready: true}}}
	tests := map[string]struct {
		nodes   []Node
		holders []Service
		want    string
	}{
		"no nodes":                   {nil, nil, ""},
		"one node":                   {dead[:1], nil, "a"},
		"several":                    {dead, nil, "a b"},
		"local":                      {dead, []Service{onB}, "b"},
		"one is alive":               {append(slices.Clone(dead), Node{Name: "c", Alive: true}), nil, "c"},
		"one is alive, and excluded": {append(slices.Clone(dead), Node{Name: "c", Alive: true, Excluded: true}), nil, ""},
	}
	for name, test := range tests {
		if got := Eligible(test.nodes, test.holders...); !slices.Equal(got, strings.Fields(test.want)) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
