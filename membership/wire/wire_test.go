package wire

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/heraldlb/herald/election"
)

// The parties of the tests.
var (
	cluster = ClusterOf("5c1d4a2e-0f3b-4c56-9d1e-6a7b8c9d0e1f")
	key     = []byte("0123456789abcdef0123456789abcdef")
	other   = []byte("fedcba9876543210fedcba9876543210")
)

func header() *Header {
	return &Header{Incarnation: 0x0000_0199_1122_3344, Sequence: 7, Name: []byte("node-a.example")}
}

func heartbeat() *Heartbeat {
	return &Heartbeat{
		Interval:   25 * time.Millisecond,
		Multiplier: 4,
		Standing:   true,
		Digest:     election.Digest{Version: 12, Count: 2, Sum: 0x0123_4567_89ab_cdef},
		Prefixes:   prefixes("192.0.2.0/24", "2001:db8::/64"),
	}
}

func update() *election.Message {
	return &election.Message{
		Kind:    election.Update,
		Version: 13,
		Claims: []election.Claim{
			{Address: netip.MustParseAddr("192.0.2.10")},
			{Address: netip.MustParseAddr("2001:db8::10"), Yielding: true},
			{Address: netip.MustParseAddr("192.0.2.12"), Tentative: true},
		},
		Dropped: []netip.Addr{netip.MustParseAddr("192.0.2.11")},
	}
}

func list() *election.Message {
	return &election.Message{
		Kind:    election.List,
		Version: 13,
		Part:    1,
		Parts:   2,
		Claims: []election.Claim{
			{Address: netip.MustParseAddr("192.0.2.10"), Yielding: true},
			{Address: netip.MustParseAddr("2001:db8::12"), Tentative: true},
		},
	}
}

func request() *election.Message { return &election.Message{Kind: election.Request} }

func refusal() *Refusal {
	return &Refusal{Node: []byte("node-b"), Incarnation: 0x0000_0199_5566_7788}
}

func prefixes(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// seal writes any of the bodies.
func seal(s *Sealer, h *Header, body any) ([]byte, error) {
	switch body := body.(type) {
	case *Heartbeat:
		return s.AppendHeartbeat(nil, h, body)
	case *election.Message:
		return s.AppendClaims(nil, h, body)
	case *Refusal:
		return s.AppendRefusal(nil, h, body)
	}
	panic("no such body")
}

// open reads a datagram and its body.
func open(o *Opener, b []byte) (*Header, any, Reason) {
	d, reason := o.Open(b)
	if reason != Accepted {
		return nil, nil, reason
	}
	switch d.Kind {
	case KindHeartbeat:
		body := new(Heartbeat)
		reason = d.Heartbeat(body)
		return &d.Header, body, reason
	case KindClaims:
		body := new(election.Message)
		reason = d.Claims(body)
		return &d.Header, body, reason
	case KindRefusal:
		body := new(Refusal)
		reason = d.Refusal(body)
		return &d.Header, body, reason
	}
	panic("a kind that Open let pass")
}

func TestRoundTrip(t *testing.T) {
	for name, body := range map[string]any{
		"heartbeat": heartbeat(),
		"farewell":  &Heartbeat{Interval: time.Minute, Multiplier: 100, Leaving: true, Farewell: true},
		"update":    update(),
		"list":      list(),
		"request":   request(),
		"refusal":   refusal(),
	} {
		for _, keys := range [][][]byte{nil, {key}, {other, key}} {
			var signing []byte
			if keys != nil {
				signing = key
			}
			b, err := seal(NewSealer(cluster, signing), header(), body)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			h, got, reason := open(NewOpener(cluster, keys...), bytes.Clone(b))
			if reason != Accepted {
				t.Fatalf("%s: %v", name, reason)
			}
			if diff := cmp.Diff(header(), h); diff != "" {
				t.Errorf("%s: header (-sent +received):\n%s", name, diff)
			}
			if diff := cmp.Diff(body, got, cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Prefix{}, netip.Addr{})); diff != "" {
				t.Errorf("%s: body (-sent +received):\n%s", name, diff)
			}
		}
	}
}
