package kind

import (
	"net/netip"
	"testing"
)

const inspected = `[{"Name": "kind", "Id": "0123456789abcdef0123", "Options": {"com.docker.network.bridge.enable_ip_masquerade": "true"},
	"IPAM": {"Config": [{"Subnet": "fc00:f853:ccd:e793::/64"}, {"Subnet": "172.18.0.0/16", "Gateway": "172.18.0.1"}]}}]`

func TestParseNetwork(t *testing.T) {
	got, err := parseNetwork([]byte(inspected))
	want := Segment{"br-0123456789ab", netip.MustParsePrefix("172.18.0.0/16"), netip.MustParsePrefix("fc00:f853:ccd:e793::/64")}
	if err != nil || got != want {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	for _, bad := range []string{"[]", "{", `[{"Id": "0123456789abcdef", "IPAM": {"Config": [{"Subnet": "172.18.0.0/16"}]}}]`} {
		if got, err := parseNetwork([]byte(bad)); err == nil {
			t.Errorf("%s: got %v", bad, got)
		}
	}
}

// The ranges are the segment's, and none has an address of another, or of those that docker
// gives out.
func TestRanges(t *testing.T) {
	s := Segment{V4: netip.MustParsePrefix("172.31.128.0/20"), V6: netip.MustParsePrefix("fc00:f853:ccd:e793::/64")}
	global, spare := s.Ranges()
	for _, c := range []struct{ got, want string }{
		{global[0].String(), "172.31.143.200-172.31.143.239"},
		{spare[0].String(), "172.31.143.100-172.31.143.199"},
		{global[1].String(), "fc00:f853:ccd:e793:0:f:1:0-fc00:f853:ccd:e793:0:f:1:ffff"},
		{spare[1].String(), "fc00:f853:ccd:e793:0:f:2:0-fc00:f853:ccd:e793:0:f:2:ffff"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}
