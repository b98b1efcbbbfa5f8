package l2

import (
	"flag"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer/l2/l2test"
	"github.com/heraldlb/herald/internal/transcript"
)

func TestMain(m *testing.M) {
	transcript.Flag()
	flag.Parse()
	l2test.Main(m)
}

func prefixes(words []string) []netip.Prefix {
	var all []netip.Prefix
	for _, w := range words {
		all = append(all, netip.MustParsePrefix(w))
	}
	return all
}

func parseMAC(t testing.TB, text string) net.HardwareAddr {
	t.Helper()
	mac, err := net.ParseMAC(text)
	if err != nil {
		t.Fatal(err)
	}
	return mac
}

func duration(t testing.TB, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func scan(t testing.TB, text, format string, to ...any) {
	t.Helper()
	if _, err := fmt.Sscanf(text, format, to...); err != nil {
		t.Fatal(err)
	}
}
