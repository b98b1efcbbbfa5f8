package frame

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// protocol is what ARP and NDP have in common.
type protocol interface {
	Parse([]byte, *Message) Fault
	Reply([]byte, MAC, *Message) int
	Announcement(MAC, netip.Addr) ([]byte, error)
	Probe(MAC, netip.Addr) ([]byte, error)
}

// Who plays in the tests: us, and a client on the segment.
func us() MAC     { return MAC{2, 0, 0, 0, 0, 0x01} }
func client() MAC { return MAC{2, 0, 0, 0, 0, 0x99} }

// unhex reads bytes as the tests write them: fields apart, # starts a comment.
func unhex(t testing.TB, text string) []byte {
	t.Helper()
	var digits strings.Builder
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parse(t *testing.T, p protocol, b []byte) Message {
	t.Helper()
	var m Message
	if fault := p.Parse(b, &m); fault != None {
		t.Fatalf("Parse(%x) = %s", b, fault)
	}
	return m
}

func diff(t *testing.T, what string, got, want any) {
	t.Helper()
	exporter := cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
	if d := cmp.Diff(want, got, exporter); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// A frame that is not for us, and one that is, cost no allocation.
func TestAllocations(t *testing.T) {
	for name, tt := range map[string]struct {
		protocol protocol
		request  []byte
	}{
		"ARP": {ARP{}, unhex(t, arpRequestBytes)},
		"NDP": {NDP{}, unhex(t, solicitationBytes)},
	} {
		t.Run(name, func(t *testing.T) {
			m, reply := new(Message), make([]byte, MaxReply)
			allocs := testing.AllocsPerRun(1000, func() {
				if fault := tt.protocol.Parse(tt.request, m); fault != None {
					t.Fatal(fault)
				}
				tt.protocol.Reply(reply, us(), m)
			})
			if allocs != 0 {
				t.Errorf("%v allocations for a request and its reply, want 0", allocs)
			}
		})
	}
}

func TestFaultNames(t *testing.T) {
	for f := range FaultCount {
		if f.String() == "" {
			t.Errorf("fault %d has no name", f)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for name, tt := range map[string]struct {
		protocol protocol
		request  []byte
	}{
		"ARP": {ARP{}, unhex(b, arpRequestBytes)},
		"NDP": {NDP{}, unhex(b, solicitationBytes)},
	} {
		b.Run(name, func(b *testing.B) {
			m := new(Message)
			b.ReportAllocs()
			for b.Loop() {
				tt.protocol.Parse(tt.request, m)
			}
		})
	}
}
