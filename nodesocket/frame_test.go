package nodesocket

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/heraldlb/herald/announcer"
)

var compareAddrs = cmpopts.EquateComparable(netip.Addr{})

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
		message{Kind: kindHello, Version: 1, Role: roleAgent},
		`{"kind":"hello","version":1,"role":"agent"}`,
	},
	{
		message{Kind: kindSnapshot, More: true, Announcements: []announcer.Announcement{
			{Address: netip.MustParseAddr("192.0.2.1"), Interface: "eth0", Probe: true},
			{Address: netip.MustParseAddr("2001:db8::1")},
		}},
		`{"kind":"snapshot","announcements":[{"address":"192.0.2.1","interface":"eth0","probe":true},{"address":"2001:db8::1"}],"more":true}`,
	},
	{
		message{Kind: kindPut, Announcements: []announcer.Announcement{{Address: netip.MustParseAddr("192.0.2.1")}}},
		`{"kind":"put","announcements":[{"address":"192.0.2.1"}]}`,
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

// The largest batches of the longest valid items fit into a frame.
func TestFullBatchesFit(t *testing.T) {
	longest := netip.MustParseAddr("2001:1111:2222:3333:4444:5555:6666:7777")
	escaped := strings.Repeat("<", 15) // 6 bytes each in JSON
	announcement := announcer.Announcement{Address: longest, Interface: escaped, Probe: true}
	if err := Validate(announcement); err != nil {
		t.Fatal(err)
	}
	status := announcer.Status{
		Address: longest, State: announcer.Announced, Interfaces: repeat(escaped, maxInterfaces),
		Stranger: announcer.HardwareAddr(make(net.HardwareAddr, 20)), Since: time.Now(),
	}
	sample := announcer.Sample{
		Metric: strings.Repeat("m", 64), Interface: escaped, Family: "ipv6",
		Reason: strings.Repeat("r", 64), Value: 1.0 / 3,
	}
	for _, m := range []message{
		{Kind: kindSnapshot, Announcements: repeat(announcement, maxPuts), More: true},
		{Kind: kindDelete, Addresses: repeat(longest, maxPuts)},
		{Kind: kindStatus, Statuses: repeat(status, maxStatuses)},
		{Kind: kindSamples, Samples: repeat(sample, maxSamples), More: true},
	} {
		if err := (&encoder{w: io.Discard}).encode(&m); err != nil {
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

// discard is an announcer that does nothing.
type discard struct{}

func (discard) Put(announcer.Announcement)       {}
func (discard) Delete(netip.Addr)                {}
func (discard) Replace([]announcer.Announcement) {}

// announcements returns n of them, each with another address.
func announcements(n int) []announcer.Announcement {
	all := make([]announcer.Announcement, n)
	for i := range all {
		addr := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		all[i] = announcer.Announcement{Address: addr, Interface: "eth0"}
	}
	return all
}

func BenchmarkEncode(b *testing.B) {
	m := message{Kind: kindPut, Announcements: announcements(maxPuts)}
	e := encoder{w: io.Discard}
	b.ReportAllocs()
	for b.Loop() {
		if err := e.encode(&m); err != nil {
			b.Fatal(err)
		}
	}
	perAddress(b)
}

func BenchmarkDecode(b *testing.B) {
	var wire bytes.Buffer
	m := message{Kind: kindPut, Announcements: announcements(maxPuts)}
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
	perAddress(b)
}

func perAddress(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/maxPuts, "ns/address")
}

func TestValidate(t *testing.T) {
	tests := []struct {
		address, iface string
		valid          bool
	}{
		{"192.0.2.1", "", true},
		{"2001:db8::1", "eth0.100", true},
		{"fe80::1", "", true},
		{"192.0.2.1", "abcdefghijklmno", true},
		{"192.0.2.1", "abcdefghijklmnop", false},
		{"192.0.2.1", "eth0 ", false},
		{"192.0.2.1", "../x", false},
		{"192.0.2.1", "..", false},
		{"192.0.2.1", "eth0:1", false},
		{"fe80::1%eth0", "", false},
		{"::ffff:192.0.2.1", "", false},
		{"0.0.0.0", "", false},
		{"::", "", false},
		{"127.0.0.1", "", false},
		{"::1", "", false},
		{"224.0.0.1", "", false},
		{"ff02::1", "", false},
		{"255.255.255.255", "", false},
	}
	for _, test := range tests {
		a := announcer.Announcement{Address: netip.MustParseAddr(test.address), Interface: test.iface}
		if err := Validate(a); (err == nil) != test.valid || (err != nil && !errors.Is(err, ErrInvalid)) {
			t.Errorf("%+v: error %v, want valid %v", a, err, test.valid)
		}
	}
	if err := Validate(announcer.Announcement{}); !errors.Is(err, ErrInvalid) {
		t.Errorf("no address: error %v, want ErrInvalid", err)
	}
}

func ExampleVersionError() {
	fmt.Println(&VersionError{Ours: 1, Theirs: 2})
	// Output: peer speaks protocol version 2, this is version 1
}
