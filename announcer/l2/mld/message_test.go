package mld

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func group(n byte) netip.Addr {
	return netip.AddrFrom16([16]byte{0: 0xff, 1: 0x02, 11: 1, 12: 0xff, 15: n})
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const (
	general2  = `82 00 0000 2710 0000 00000000000000000000000000000000 02 7d 0000`
	general1  = `82 00 0000 2710 0000 00000000000000000000000000000000`
	specific2 = `82 00 0000 03e8 0000 ff0200000000000000000001ff000007 02 7d 0000`
	longDelay = `82 00 0000 8001 0000 00000000000000000000000000000000 02 7d 0000`
)

func TestParseQuery(t *testing.T) {
	for name, tt := range map[string]struct {
		message string
		want    Query
		ok      bool
	}{
		"general":              {general2, Query{Version: 2, MaxDelay: 10 * time.Second}, true},
		"general, version 1":   {general1, Query{Version: 1, MaxDelay: 10 * time.Second}, true},
		"for a group":          {specific2, Query{Version: 2, MaxDelay: time.Second, Group: group(7)}, true},
		"floating-point delay": {longDelay, Query{Version: 2, MaxDelay: 0x1001 << 3 * time.Millisecond}, true},
		"short":                {general1[:20], Query{}, false},
		"report":               {"8f" + general2[2:], Query{}, false},
		"empty":                {"", Query{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			q, ok := ParseQuery(unhex(t, tt.message))
			if q != tt.want || ok != tt.ok {
				t.Errorf("ParseQuery = %+v, %v, want %+v, %v", q, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestPackets(t *testing.T) {
	records := []record{{changeToExclude, group(1)}, {changeToInclude, group(2)}}
	type packet struct{ To, Message string }
	write := func(all []Packet) (out []packet) {
		for _, p := range all {
			out = append(out, packet{p.To.String(), hex.EncodeToString(p.Message)})
		}
		return out
	}
	flat := func(text string) string { return strings.Join(strings.Fields(text), "") }
	want2 := []packet{{"ff02::16", flat(`8f 00 0000 0000 0002
		04 00 0000 ff0200000000000000000001ff000001
		03 00 0000 ff0200000000000000000001ff000002`)}}
	if d := cmp.Diff(want2, write(packets(2, records))); d != "" {
		t.Errorf("version 2 (-want +got):\n%s", d)
	}
	want1 := []packet{
		{"ff02::1:ff00:1", flat(`83 00 0000 0000 0000 ff0200000000000000000001ff000001`)},
		{"ff02::2", flat(`84 00 0000 0000 0000 ff0200000000000000000001ff000002`)},
	}
	if d := cmp.Diff(want1, write(packets(1, records))); d != "" {
		t.Errorf("version 1 (-want +got):\n%s", d)
	}
	// As many packets as the least MTU asks for.
	var many []record
	for range 2*maxRecords + 1 {
		many = append(many, record{modeIsExclude, group(1)})
	}
	all := packets(2, many)
	if len(all) != 3 || len(all[0].Message)+40+8 > 1280 || len(all[2].Message) != headerSize+recordSize {
		t.Errorf("%d packets, the first of %d bytes", len(all), len(all[0].Message))
	}
}

func FuzzParseQuery(f *testing.F) {
	for _, seed := range []string{general2, general1, specific2, longDelay} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		q, ok := ParseQuery(b)
		if ok && (q.MaxDelay < 0 || q.MaxDelay > 3*time.Hour || q.Version < 1 || q.Version > 2) {
			t.Errorf("%+v", q)
		}
	})
}
