package config_test

import (
	"maps"
	"reflect"
	"testing"

	"github.com/heraldlb/herald/config"
)

// TestKeys has every key explained, and its example taken without a fault.
func TestKeys(t *testing.T) {
	for _, key := range config.Keys() {
		if key.Value == "" || key.Example == "" || key.Text == "" {
			t.Errorf("%s: not explained: %+v", key.Name, key)
		}
		name := key.Name
		if key.Scoped {
			name += config.Global
		}
		data := map[string]string{
			"cidr-global":     "192.0.2.16/28",
			"range-global":    "192.168.10.1-192.168.10.120",
			"announce-global": "bgp",
			"bgp.yaml":        "{localASN: 64512, peers: [{name: rack, address: 192.0.2.9, asn: 64512}]}",
		}
		without, faults := config.Parse(data)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		with := maps.Clone(data)
		with[name] = key.Example
		parsed, faults := config.Parse(with)
		if parsed == nil || len(faults) > 0 {
			t.Errorf("%s: %q: %v", name, key.Example, faults)
			continue
		}
		if reflect.DeepEqual(parsed, without) {
			t.Errorf("%s: %q changes nothing", name, key.Example)
		}
	}
}
