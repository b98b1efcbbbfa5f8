package announcement

import (
	"slices"
	"strings"
	"testing"
)

func TestEligible(t *testing.T) {
	standing := []string{"a", "b", "c"} // and not "excluded" or "leaving"
	ready := func(node string) endpoint { return endpoint{node: node, ready: true, serving: true} }
	draining := func(node string) endpoint { return endpoint{node: node, serving: true, terminating: true} }
	local := func(endpoints ...endpoint) holder { return holder{local: true, endpoints: endpoints} }
	tests := map[string]struct {
		holders []holder
		want    string
	}{
		"nobody in particular":               {nil, "a b c"},
		"cluster policy":                     {[]holder{{}}, "a b c"},
		"cluster policy asks no endpoint":    {[]holder{{endpoints: []endpoint{ready("a")}}}, "a b c"},
		"local":                              {[]holder{local(ready("c"), ready("a"))}, "a c"},
		"local without endpoints":            {[]holder{local()}, ""},
		"local on nodes that may not":        {[]holder{local(ready("excluded"), ready("leaving"))}, ""},
		"local on an unknown node":           {[]holder{local(ready(""), ready("elsewhere"))}, ""},
		"not ready":                          {[]holder{local(endpoint{node: "a", serving: true})}, ""},
		"terminating and not serving":        {[]holder{local(endpoint{node: "a", terminating: true})}, ""},
		"terminating while another is not":   {[]holder{local(draining("a"), ready("b"))}, "b"},
		"terminating while none is ready":    {[]holder{local(draining("a"), endpoint{node: "b"})}, "a"},
		"ready anywhere, if on one excluded": {[]holder{local(draining("a"), ready("excluded"))}, ""},
		"shared by two":                      {[]holder{local(ready("a"), ready("b")), local(ready("b"), ready("c"))}, "b"},
		"shared, one with cluster policy":    {[]holder{local(ready("a")), {}}, "a"},
		"shared without common ground":       {[]holder{local(ready("a")), local(ready("b"))}, ""},
	}
	for name, test := range tests {
		if got := eligible(standing, test.holders...); !slices.Equal(got, strings.Fields(test.want)) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	if !slices.Equal(standing, []string{"a", "b", "c"}) {
		t.Errorf("the standing nodes became %v", standing)
	}
}
