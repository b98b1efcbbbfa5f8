package bgp

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/labels"
)

func TestUnselected(t *testing.T) {
	config, faults := Parse(`
localASN: 64512
peers:
- {name: all, address: 192.0.2.1, asn: 64500}
- {name: rack-a, address: 192.0.2.2, asn: 64500, nodeSelector: {matchLabels: {rack: a}}}
- {name: rack-b, address: 192.0.2.3, asn: 64500, nodeSelector: {matchLabels: {rack: b}}}
advertisements:
- {name: here}
- {name: nowhere, nodeSelector: {matchLabels: {rack: c}}}
`)
	if config == nil {
		t.Fatal(faults)
	}
	for name, test := range map[string]struct {
		nodes []labels.Set
		want  []string
	}{
		"no nodes known":    {},
		"one of a rack":     {[]labels.Set{{"rack": "a"}}, []string{"advertisements.nowhere", "peers.rack-b"}},
		"one of each":       {[]labels.Set{{"rack": "a"}, {"rack": "b"}, {"rack": "c"}}, nil},
		"one without label": {[]labels.Set{{}}, []string{"advertisements.nowhere", "peers.rack-a", "peers.rack-b"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, fault := range config.Unselected(test.nodes) {
				if !strings.Contains(fault.String(), "selects no node") {
					t.Errorf("fault %v", fault)
				}
				got = append(got, strings.TrimPrefix(fault.Key, Key+"."))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
