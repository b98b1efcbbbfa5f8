package frame

import (
	"testing"

	"golang.org/x/net/bpf"
)

// The first two tests of a filter ask what only a kernel knows; the tests with
// real sockets of announcer/l2 see to those.
func TestFilter(t *testing.T) {
	set := func(text string, offset int, values ...byte) []byte {
		b := unhex(t, text)
		copy(b[offset:], values)
		return b
	}
	ours := us()
	for name, tt := range map[string]struct {
		filter []test
		frame  []byte
		pass   bool
	}{
		"ARP request":          {arpFilter(us()), unhex(t, arpRequestBytes), true},
		"ARP probe":            {arpFilter(us()), unhex(t, arpProbeBytes), true},
		"ARP reply":            {arpFilter(client()), unhex(t, arpReplyBytes), true},
		"ARP, cut off":         {arpFilter(us()), unhex(t, arpRequestBytes)[:arpSize-1], true},
		"ARP, our own":         {arpFilter(us()), unhex(t, arpAnnouncementBytes), false},
		"ARP, almost our own":  {arpFilter(us()), set(arpAnnouncementBytes, etherSource, 0x06), true},
		"ARP, operation 0":     {arpFilter(us()), set(arpRequestBytes, arpOperation, 0, 0), false},
		"ARP, operation 3":     {arpFilter(us()), set(arpRequestBytes, arpOperation, 0, 3), false},
		"ARP for AX.25":        {arpFilter(us()), set(arpRequestBytes, 14, 0, 3), false},
		"ARP, long addresses":  {arpFilter(us()), set(arpRequestBytes, 18, 8), false},
		"IPv4":                 {arpFilter(us()), set(arpRequestBytes, etherType, 0x08, 0x00), false},
		"solicitation":         {ndpFilter(us()), unhex(t, solicitationBytes), true},
		"advertisement":        {ndpFilter(client()), unhex(t, advertisementBytes), true},
		"NDP, our own":         {ndpFilter(us()), set(solicitationBytes, etherSource, ours[:]...), false},
		"NDP, forwarded":       {ndpFilter(us()), set(solicitationBytes, ip6HopLimit, 64), true},
		"router advertisement": {ndpFilter(us()), set(solicitationBytes, icmpType, 134), false},
		"redirect":             {ndpFilter(us()), set(solicitationBytes, icmpType, 137), false},
		"TCP over IPv6":        {ndpFilter(us()), set(solicitationBytes, ip6NextHeader, 6), false},
		"NDP, cut off":         {ndpFilter(us()), unhex(t, solicitationBytes)[:icmpType], true},
		"NDP, cut off later":   {ndpFilter(us()), unhex(t, solicitationBytes)[:icmpType+1], true},
		"IPv6, cut off":        {ndpFilter(us()), unhex(t, solicitationBytes)[:ip6NextHeader], false},
	} {
		t.Run(name, func(t *testing.T) {
			vm, err := bpf.NewVM(compile(tt.filter))
			if err != nil {
				t.Fatal(err)
			}
			n, err := vm.Run(tt.frame)
			if err != nil {
				t.Fatal(err)
			}
			if got := n >= len(tt.frame); got != tt.pass {
				t.Errorf("passes: %v, want %v", got, tt.pass)
			}
		})
	}
}

func TestAssemble(t *testing.T) {
	for name, filter := range map[string]func(int, MAC) ([]bpf.RawInstruction, error){
		"ARP": ARP{}.Filter, "NDP": NDP{}.Filter,
	} {
		if program, err := filter(7, us()); err != nil || len(program) == 0 {
			t.Errorf("%s: %d instructions, error %v", name, len(program), err)
		}
	}
}
