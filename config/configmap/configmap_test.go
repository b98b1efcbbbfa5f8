package configmap_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/heraldlb/herald/config"
	"github.com/heraldlb/herald/config/configmap"
)

func TestRead(t *testing.T) {
	manifest := `
kind: Secret
metadata: {name: other}
---
kind: List
items:
- kind: Service
- kind: ConfigMap
  metadata: {namespace: kube-system, name: kubevip}
  data: &data
    cidr-global: 10.0.0.0/24
    range-global: |
      10.0.1.1-10.0.1.9,
      10.0.2.1-10.0.2.9
---
{"kind": "ConfigMapList", "items": [{"metadata": {"name": "json"}, "data": {"search-order": "desc"}}]}
--- # empty
---
kind: ConfigMap
metadata: {name: faulty}
data:
  bool: true
  "quoted": "yes"
  plain: on
  number: 12
  null: ~
  list: [a]
  bool: false
---
{kind: ConfigMap, data: [a, b]}
---
kind: ConfigMap
`
	got, err := configmap.Read(strings.NewReader(manifest))
	if err != nil {
		t.Fatal(err)
	}
	want := []*configmap.ConfigMap{
		{
			Namespace: "kube-system", Name: "kubevip",
			Data:   map[string]string{"cidr-global": "10.0.0.0/24", "range-global": "10.0.1.1-10.0.1.9,\n10.0.2.1-10.0.2.9\n"},
			Lines:  map[string]int{"cidr-global": 11, "range-global": 12},
			Blocks: map[string]int{"range-global": 13},
		},
		{
			Name:  "json",
			Data:  map[string]string{"search-order": "desc"},
			Lines: map[string]int{"search-order": 16},
		},
		{
			Name:  "faulty",
			Data:  map[string]string{"bool": "true", "quoted": "yes", "plain": "on", "number": "12"},
			Lines: map[string]int{"bool": 22, "quoted": 23, "plain": 24, "number": 25, "null": 26, "list": 27},
			Faults: config.Faults{
				{Severity: config.Error, Key: "bool", Value: "true", Reason: `not a string; write "true", with the quotes`},
				{Severity: config.Error, Key: "plain", Value: "on", Reason: `not a string; write "on", with the quotes`},
				{Severity: config.Error, Key: "number", Value: "12", Reason: `not a string; write "12", with the quotes`},
				{Severity: config.Error, Key: "null", Reason: "not a string; write a value, or remove the key"},
				{Severity: config.Error, Key: "list", Reason: "not a string but a list or map"},
				{Severity: config.Error, Key: "bool", Reason: "the key is there twice, on lines 22 and 28"},
			},
		},
		{
			Data:   map[string]string{},
			Lines:  map[string]int{"data": 30},
			Faults: config.Faults{{Severity: config.Error, Key: "data", Reason: "not a map"}},
		},
		{},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ConfigMaps (-want +got):\n%s", diff)
	}
}

func TestIs(t *testing.T) {
	tests := []struct {
		namespace, name, wanted string
		want                    bool
	}{
		{"a", "x", "a/x", true},
		{"a", "x", "b/x", false},
		{"a", "x", "x", false},
		{"", "x", "a/x", true},
		{"", "x", "x", true},
		{"", "x", "a/y", false},
	}
	for _, test := range tests {
		c := configmap.ConfigMap{Namespace: test.namespace, Name: test.name}
		if got := c.Is(test.wanted); got != test.want {
			t.Errorf("%s is %s: %t, want %t", c.String(), test.wanted, got, test.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"kind: ConfigMap\nmetadata: {name: a}\ndata: {cidr-global: 10.0.0.0/24, a: [], a: ~, b: 1}\n",
		"kind: ConfigMap\ndata: &d {a: x, <<: *d, ? [b] : c, !!binary e: !!int f}\n--- *d\n",
		"kind: List\nitems: &i [{kind: ConfigMap, data: *i}, *i, {kind: List, items: *i}]\n",
		"{\"kind\": \"ConfigMapList\",\n\t\"items\": [1, null, {\"data\": {\"a\": \"\\u0000\"}}]}",
		"kind: ConfigMap\ndata: [\n",
		"---\n---\n...\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		all, err := configmap.Read(strings.NewReader(string(text)))
		if err != nil && all != nil {
			t.Errorf("ConfigMaps %v beside %v", all, err)
		}
		for _, c := range all {
			for key := range c.Data {
				if c.Lines[key] < 1 {
					t.Errorf("key %q is on line %d", key, c.Lines[key])
				}
			}
			for _, fault := range c.Faults {
				if c.Lines[fault.Key] < 1 || fault.Reason == "" || fault.Severity != config.Error {
					t.Errorf("fault without a line or a reason, or a warning: %#v", fault)
				}
			}
		}
	})
}
