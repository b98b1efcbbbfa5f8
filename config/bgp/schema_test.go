package bgp_test

import (
	"reflect"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/heraldlb/herald/config/bgp"
)

// example is a bgp.yaml that has something at every level.
const example = `
localASN: 64511
peers:
- {name: rack, address: 192.0.2.1, asn: 64501}
- {name: inside, address: 192.0.2.2, asn: 64511}
advertisements:
- name: some
- name: rest
`

// TestSchema has every key explained, and its example taken without a fault.
func TestSchema(t *testing.T) {
	top := func(root map[string]any) map[string]any { return root }
	first := func(list string) func(map[string]any) map[string]any {
		return func(root map[string]any) map[string]any { return root[list].([]any)[0].(map[string]any) }
	}
	try(t, "", bgp.Schema(), top)
	for _, field := range bgp.Schema() {
		if field.Fields != nil {
			try(t, field.Name+".", field.Fields, first(field.Name))
		}
		for _, inner := range field.Fields {
			try(t, field.Name+"."+inner.Name+".", inner.Fields, func(root map[string]any) map[string]any {
				within := make(map[string]any)
				first(field.Name)(root)[inner.Name] = within
				return within
			})
		}
	}
	try(t, "nodeSelector.", bgp.SelectorSchema(), func(root map[string]any) map[string]any {
		within := make(map[string]any)
		first("peers")(root)["nodeSelector"] = within
		return within
	})
	for _, field := range bgp.SelectorSchema() {
		try(t, "nodeSelector."+field.Name+".", field.Fields, func(root map[string]any) map[string]any {
			expression := map[string]any{"key": "example.com/rack", "operator": "NotIn", "values": []any{"a"}}
			first("peers")(root)["nodeSelector"] = map[string]any{field.Name: []any{expression}}
			return expression
		})
	}
}

// try puts the example of each field where place finds room for it.
func try(t *testing.T, path string, fields []bgp.Field, place func(root map[string]any) map[string]any) {
	t.Helper()
	instead := map[string]string{"interface": "address", "operator": "values"} // what cannot be beside it
	for _, field := range fields {
		if field.Value == "" || field.Example == "" || field.Text == "" {
			t.Errorf("%s%s: not explained: %+v", path, field.Name, field)
		}
		root := decode[map[string]any](t, example)
		within := place(root)
		before := faultless(t, root)
		delete(within, instead[field.Name])
		if field.Name == "sourceAddress" {
			within["address"] = "2001:db8:1::1" // of its family
		}
		within[field.Name] = decode[any](t, field.Example)
		if after := faultless(t, root); reflect.DeepEqual(before, after) {
			t.Errorf("%s%s: %s changes nothing", path, field.Name, field.Example)
		}
	}
}

func decode[T any](t *testing.T, text string) (value T) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return value
}

// faultless returns what Parse makes of a bgp.yaml that has no fault.
func faultless(t *testing.T, root map[string]any) *bgp.Config {
	t.Helper()
	text, err := yaml.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	parsed, faults := bgp.Parse(string(text))
	if len(faults) > 0 {
		t.Errorf("%v in\n%s", faults, text)
	}
	return parsed
}
