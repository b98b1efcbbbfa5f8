package nodesocket

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/heraldlb/herald/announcer"
)

var compareAddrs = cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{})

// frame returns body with its length before it.
func frame(body string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

// exemplars are one message of each kind, as it goes over the socket.
var exemplars = []struct {
	message message
	body    string
}{
	{
		message{Kind: kindHello, Version: 3, Role: roleAgent},
		`{"kind":"hello","version":3,"role":"agent"}`,
	},
	{
		message{Kind: kindSnapshot, More: true, Candidacies: []announcer.Candidacy{
			{
				Announcement: announcer.Announcement{Address: netip.MustParseAddr("192.0.2.1"), Interface: "eth0", Probe: true},
				Eligible:     true, Hosts: []string{"worker-1"}, Until: 7,
			},
			{Announcement: announcer.Announcement{Address: netip.MustParseAddr("2001:db8::1")}, Hosts: []string{}},
		}},
		`{"kind":"snapshot","candidacies":[{"address":"192.0.2.1","interface":"eth0","probe":true,"eligible":true,"hosts":["worker-1"],"until":7},{"address":"2001:db8::1","eligible":false,"hosts":[]}],"more":true}`,
	},
	{
		message{Kind: kindPut, Candidacies: candidacies(1)},
		`{"kind":"put","candidacies":[{"address":"10.0.0.0","interface":"eth0","eligible":true}]}`,
	},
	{
		message{Kind: kindDelete, Addresses: []netip.Addr{netip.MustParseAddr("2001:db8::1")}},
		`{"kind":"delete","addresses":["2001:db8::1"]}`,
	},
	{
		message{Kind: kindStatus, Statuses: []announcer.Status{{
			Address: netip.MustParseAddr("192.0.2.1"), State: announcer.Conflict, Interfaces: []string{"eth0"},
			Stranger: announcer.HardwareAddr{2, 0, 0, 0, 0, 1}, Since: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC),
		}}},
		`{"kind":"status","statuses":[{"address":"192.0.2.1","state":"Conflict","interfaces":["eth0"],"stranger":"02:00:00:00:00:01","since":"2026-11-23T08:00:00Z"}]}`,
	},
	{
		message{Kind: kindSamples, Samples: []announcer.Sample{{Metric: "m", Interface: "eth0", Family: "ipv4", Value: 3}}},
		`{"kind":"samples","samples":[{"metric":"m","interface":"eth0","family":"ipv4","value":3}]}`,
	},
	{
		message{Kind: kindSamples, Samples: []announcer.Sample{{Metric: "m", Histogram: &announcer.Histogram{
			Count: 3, Sum: 0.4, Buckets: []announcer.Bucket{{UpperBound: 0.1, Count: 2}},
		}}}},
		`{"kind":"samples","samples":[{"metric":"m","value":0,"histogram":{"count":3,"sum":0.4,"buckets":[{"le":0.1,"count":2}]}}]}`,
	},
	{
		message{Kind: kindFacts, Facts: &announcer.Facts{
			Cluster: "0b2b", Excluded: true, Nodes: 3, Peers: []netip.Addr{netip.MustParseAddr("192.0.2.2")}, CutOff: true, Rebalance: "7",
			Backends: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.3:6443")},
		}},
		`{"kind":"facts","facts":{"cluster":"0b2b","excluded":true,"nodes":3,"peers":["192.0.2.2"],"cutOff":true,"rebalance":"7","backends":["192.0.2.3:6443"]}}`,
	},
	{
		message{Kind: kindView, View: &announcer.View{
			Node: "a", Incarnation: 5, Scheduling: "SCHED_FIFO", Keyed: true, Members: []announcer.Member{{
				Node: "b", Incarnation: 4, Interface: "eth0", Source: netip.MustParseAddr("192.0.2.2"), State: announcer.Alive,
				Since: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC), Interval: 25 * time.Millisecond, Multiplier: 4, Standing: true,
			}},
		}},
		`{"kind":"view","view":{"node":"a","incarnation":5,"scheduling":"SCHED_FIFO","keyed":true,"alone":false,"isolated":false,"members":[` +
			`{"node":"b","incarnation":4,"interface":"eth0","source":"192.0.2.2","state":"Alive","since":"2026-11-23T08:00:00Z",` +
			`"interval":25000000,"multiplier":4,"lost":0,"claims":0,"standing":true}]}}`,
	},
	{message{Kind: kindPing}, `{"kind":"ping"}`},
	{message{Kind: kindHealth, Error: "stuck"}, `{"kind":"health","error":"stuck"}`},
}

func TestFramesGolden(t *testing.T) {
	var wire bytes.Buffer
	for _, e := range exemplars {
		wire.Reset()
		if err := (&encoder{w: &wire}).encode(&e.message); err != nil {
			t.Fatalf("%s: %v", e.message.Kind, err)
		}
		if diff := cmp.Diff(string(frame(e.body+"\n")), wire.String()); diff != "" {
			t.Errorf("%s on the wire (-want +got):\n%s", e.message.Kind, diff)
		}
		got, err := newDecoder(&wire).decode()
		if err != nil {
			t.Fatalf("%s: %v", e.message.Kind, err)
		}
		if diff := cmp.Diff(&e.message, got, compareAddrs); diff != "" {
			t.Errorf("%s back (-want +got):\n%s", e.message.Kind, diff)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	tests := map[string]struct {
		wire []byte
		want error // nil: any error
	}{
		"nothing":         {nil, io.EOF},
		"half a header":   {[]byte{0, 0}, io.ErrUnexpectedEOF},
		"half a body":     {frame(`{"kind":"ping"}`)[:9], io.ErrUnexpectedEOF},
		"no body":         {frame(``), ErrFrameSize},
		"oversize":        {binary.BigEndian.AppendUint32(nil, MaxFrame+1), ErrFrameSize},
		"not our peer":    {[]byte("GET / HTTP/1.1\r\n"), ErrFrameSize},
		"not JSON":        {frame(`hello`), nil},
		"two values":      {frame(`{"kind":"ping"}{}`), nil},
		"not an address":  {frame(`{"kind":"delete","addresses":["192.0.2.256"]}`), nil},
		"wrong type":      {frame(`{"kind":7}`), nil},
		"deep":            {frame(strings.Repeat("[", 60_000)), nil},
		"not a mac":       {frame(`{"kind":"status","statuses":[{"stranger":"x"}]}`), nil},
		"far in the past": {frame(`{"kind":"status","statuses":[{"since":"yesterday"}]}`), nil},
	}
	for name, test := range tests {
		m, err := newDecoder(bytes.NewReader(test.wire)).decode()
		if err == nil || (test.want != nil && !errors.Is(err, test.want)) {
			t.Errorf("%s: decoded to %+v, error %v; want error %v", name, m, err, test.want)
		}
	}
}

func TestEncodeRefusesOversize(t *testing.T) {
	var wire bytes.Buffer
	err := (&encoder{w: &wire}).encode(&message{Kind: kindHealth, Error: strings.Repeat("x", MaxFrame)})
	if !errors.Is(err, ErrFrameSize) || wire.Len() != 0 {
		t.Errorf("error %v, %d bytes written; want ErrFrameSize and none", err, wire.Len())
	}
}

// However long valid items are, what is cut to fit does.
func TestPartsFit(t *testing.T) {
	longest := netip.MustParseAddr("2001:1111:2222:3333:4444:5555:6666:7777")
	escaped := strings.Repeat("<", 15) // 6 bytes each in JSON
	name := strings.Repeat("n", maxName)
	candidacy := announcer.Candidacy{
		Announcement: announcer.Announcement{Address: longest, Interface: escaped, Probe: true},
		Hosts:        repeat(name, announcer.MaxHosts), Until: math.MaxInt64,
	}
	if err := Validate(candidacy); err != nil {
		t.Fatal(err)
	}
	status := announcer.Status{
		Address: longest, State: announcer.Announced, Owner: name, Interfaces: repeat(escaped, maxInterfaces),
		Stranger: announcer.HardwareAddr(make(net.HardwareAddr, 20)), Since: time.Now(),
	}
	sample := announcer.Sample{
		Metric: strings.Repeat("m", 64), Interface: escaped, Family: "ipv6", Reason: strings.Repeat("<", 64),
		State: "Alive", Value: math.MaxFloat64, Histogram: &announcer.Histogram{
			Count: math.MaxUint64, Sum: math.SmallestNonzeroFloat64,
			Buckets: repeat(announcer.Bucket{UpperBound: 1.2345678901234567e-300, Count: math.MaxUint64}, announcer.MaxBuckets),
		},
	}
	member := announcer.Member{
		Node: name, Incarnation: math.MaxUint64, Interface: escaped, Source: longest, State: announcer.Alive, Since: time.Now(),
		Interval: math.MinInt64, Multiplier: math.MinInt64, Lost: math.MaxUint64, Claims: math.MinInt64,
	}
	facts := announcer.Facts{
		Cluster: strings.Repeat("<", maxName), Rebalance: strings.Repeat("<", maxName),
		Excluded: true, CutOff: true, Nodes: math.MinInt64, Peers: repeat(longest, MaxPeers),
		Backends: repeat(netip.AddrPortFrom(longest, math.MaxUint16), MaxBackends),
	}
	if err := ValidateFacts(facts); err != nil {
		t.Fatal(err)
	}
	view := announcer.View{
		Node: name, Scheduling: escaped, Members: repeat(member, 500),
		Complaints: repeat(strings.Repeat("c", 256), maxComplaints+1),
	}
	var messages []*message
	for _, part := range parts(repeat(candidacy, 100), candidacyBytes) {
		messages = append(messages, &message{Kind: kindSnapshot, Candidacies: part, More: true})
	}
	for _, part := range parts(repeat(longest, 10_000), peerBytes) {
		messages = append(messages, &message{Kind: kindDelete, Addresses: part})
	}
	for _, part := range parts(repeat(status, 100), statusBytes) {
		messages = append(messages, &message{Kind: kindStatus, Statuses: part})
	}
	messages = append(messages, sampleMessages(func() []announcer.Sample { return repeat(sample, 100) })...)
	messages = append(messages, factsMessages(facts)...)
	messages = append(messages, viewMessages(view)...)
	for _, m := range messages {
		if err := (&encoder{w: io.Discard}).encode(m); err != nil {
			t.Error(err)
		}
	}
}

func repeat[V any](v V, n int) []V {
	all := make([]V, n)
	for i := range all {
		all[i] = v
	}
	return all
}

func FuzzDecode(f *testing.F) {
	for _, e := range exemplars {
		f.Add(frame(e.body))
	}
	f.Add(append(frame(`{"kind":"ping"}`), frame(`{"kind":"delete","addresses":["::"]}`)...))
	f.Add([]byte("GET / HTTP/1.1\r\n"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		d := newDecoder(bytes.NewReader(wire))
		told := &desired{sink: discard{}}
		for {
			m, err := d.decode()
			if cap(d.buf) > MaxFrame {
				t.Fatalf("buffer of %d bytes", cap(d.buf))
			}
			if err != nil {
				return
			}
			// Whatever is decoded can be said again, and a backend may be told it.
			var again bytes.Buffer
			if err := (&encoder{w: &again}).encode(m); err != nil && !errors.Is(err, ErrFrameSize) {
				t.Fatalf("encode what was decoded: %v", err)
			}
			_ = told.handle(m)
		}
	})
}

// discard is a sink that does nothing.
type discard struct{}

func (discard) Put(announcer.Candidacy)       {}
func (discard) Delete(netip.Addr)             {}
func (discard) Replace([]announcer.Candidacy) {}
func (discard) Facts(announcer.Facts)         {}

// announcements returns n of them, each with another address.
func candidacies(n int) []announcer.Candidacy {
	all := make([]announcer.Candidacy, n)
	for i := range all {
		addr := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		all[i] = announcer.Candidacy{Announcement: announcer.Announcement{Address: addr, Interface: "eth0"}, Eligible: true}
	}
	return all
}

func BenchmarkEncode(b *testing.B) {
	m := message{Kind: kindPut, Candidacies: candidacies(256)}
	e := encoder{w: io.Discard}
	b.ReportAllocs()
	for b.Loop() {
		if err := e.encode(&m); err != nil {
			b.Fatal(err)
		}
	}
	perAddress(b, len(m.Candidacies))
}

func BenchmarkDecode(b *testing.B) {
	var wire bytes.Buffer
	m := message{Kind: kindPut, Candidacies: candidacies(256)}
	if err := (&encoder{w: &wire}).encode(&m); err != nil {
		b.Fatal(err)
	}
	input := bytes.NewReader(wire.Bytes())
	d := newDecoder(input)
	b.ReportAllocs()
	for b.Loop() {
		input.Reset(wire.Bytes())
		if _, err := d.decode(); err != nil {
			b.Fatal(err)
		}
	}
	perAddress(b, len(m.Candidacies))
}

func perAddress(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/address")
}

func ExampleVersionError() {
	fmt.Println(&VersionError{Ours: 1, Theirs: 2})
	// Output: peer speaks protocol version 2, this is version 1
}
