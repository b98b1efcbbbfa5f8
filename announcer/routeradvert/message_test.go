package routeradvert

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/heraldlb/herald/announcer/l2/frame"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Type, code, checksum (by the kernel), hop limit, flags, lifetime, reachable time,
// retransmit timer, source link-layer address.
func TestAdvertisement(t *testing.T) {
	got, err := advertisement(frame.MAC{2, 0, 0, 0, 0, 9})
	if err != nil {
		t.Fatal(err)
	}
	if want := unhex(t, "86 00 0000 00 00 0000 00000000 00000000 01 01 020000000009"); !bytes.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}

const (
	plain     = "85 00 0000 00000000"
	addressed = plain + "01 01 020000000001"
)

func TestSolicits(t *testing.T) {
	router, nobody := netip.MustParseAddr("fe80::1"), netip.IPv6Unspecified()
	for name, test := range map[string]struct {
		message string
		hops    int
		from    netip.Addr
		want    bool
	}{
		"plain":              {plain, 255, router, true},
		"with its address":   {addressed, 255, router, true},
		"by nobody":          {plain, 255, nobody, true},
		"nobody's address":   {addressed, 255, nobody, false},
		"forwarded":          {plain, 254, router, false},
		"code":               {"85 01 0000 00000000", 255, router, false},
		"short":              {"85 00 0000 000000", 255, router, false},
		"empty":              {"", 255, router, false},
		"option without end": {plain + "01 02 020000000001", 255, router, false},
		"option of 0":        {plain + "01 00 020000000001", 255, router, false},
		"an advertisement":   {"86 00 0000 00 00 0000 00000000 00000000", 255, router, false},
	} {
		if got := solicits(unhex(t, test.message), test.hops, test.from); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func FuzzSolicits(f *testing.F) {
	for _, seed := range []string{plain, addressed, "86 00 0000 00 00 0000 00000000 00000000"} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if solicits(b, hopLimit, netip.IPv6Unspecified()) && (len(b) < 8 || b[0] != 133 || b[1] != 0) {
			t.Errorf("%x", b)
		}
	})
}
