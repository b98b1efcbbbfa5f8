package frame

import (
	"net/netip"
	"testing"
)

const arpRequestBytes = `
	ffffffffffff 020000000099 0806           # broadcast, from the client
	0001 0800 06 04 0001                     # Ethernet, IPv4, request
	020000000099 c0000263                    # the client, 192.0.2.99
	000000000000 c000020a                    # who has 192.0.2.10?
	000000000000000000000000000000000000     # padding`

const arpReplyBytes = `
	020000000099 020000000001 0806
	0001 0800 06 04 0002
	020000000001 c000020a
	020000000099 c0000263`

const arpProbeBytes = `
	ffffffffffff 020000000099 0806
	0001 0800 06 04 0001
	020000000099 00000000                    # RFC 5227: no sender address
	000000000000 c000020a`

const arpProbeReplyBytes = `
	020000000099 020000000001 0806
	0001 0800 06 04 0002
	020000000001 c000020a
	020000000099 00000000`

const arpAnnouncementBytes = `
	ffffffffffff 020000000001 0806
	0001 0800 06 04 0001                     # the request form
	020000000001 c000020a
	000000000000 c000020a
	000000000000000000000000000000000000`

func TestParseARP(t *testing.T) {
	vip, clientIP := netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("192.0.2.99")
	for name, tt := range map[string]struct {
		frame string
		want  Message
		probe bool
	}{
		"request":      {arpRequestBytes, Message{Asks: vip, Uses: clientIP, From: client()}, false},
		"probe":        {arpProbeBytes, Message{Asks: vip, From: client()}, true},
		"reply":        {arpReplyBytes, Message{Uses: vip, From: us()}, false},
		"announcement": {arpAnnouncementBytes, Message{Uses: vip, From: us()}, false},
	} {
		t.Run(name, func(t *testing.T) {
			m := parse(t, ARP{}, unhex(t, tt.frame))
			diff(t, "message", m, tt.want)
			diff(t, "probe", m.Probe(), tt.probe)
		})
	}
}

func TestWriteARP(t *testing.T) {
	vip := netip.MustParseAddr("192.0.2.10")
	reply := func(request string) []byte {
		b := make([]byte, MaxReply)
		m := parse(t, ARP{}, unhex(t, request))
		return b[:ARP{}.Reply(b, us(), &m)]
	}
	diff(t, "reply", reply(arpRequestBytes), unhex(t, arpReplyBytes))
	diff(t, "reply to a probe", reply(arpProbeBytes), unhex(t, arpProbeReplyBytes))
	b, err := ARP{}.Announcement(us(), vip)
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "announcement", b, unhex(t, arpAnnouncementBytes))
	b, err = ARP{}.Probe(client(), vip)
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "probe", b[:arpSize], unhex(t, arpProbeBytes))
	if _, err := (ARP{}).Probe(us(), netip.MustParseAddr("2001:db8::1")); err == nil {
		t.Error("an ARP probe for an IPv6 address was built")
	}
}

func TestMalformedARP(t *testing.T) {
	set := func(offset int, values ...byte) func([]byte) []byte {
		return func(b []byte) []byte { copy(b[offset:], values); return b }
	}
	for name, tt := range map[string]struct {
		spoil func([]byte) []byte
		want  Fault
	}{
		"empty":               {func([]byte) []byte { return nil }, Truncated},
		"short by one":        {func(b []byte) []byte { return b[:arpSize-1] }, Truncated},
		"another ether type":  {set(12, 0x08, 0x00), Foreign},
		"VLAN tag":            {set(12, 0x81, 0x00), Foreign},
		"another hardware":    {set(14, 0x00, 0x06), Foreign},
		"another protocol":    {set(16, 0x86, 0xdd), Foreign},
		"long hardware addr.": {set(18, 8), Foreign},
		"long protocol addr.": {set(19, 16), Foreign},
		"operation 0":         {set(20, 0, 0), Foreign},
		"RARP":                {set(20, 0, 3), Foreign},
		"broadcast sender":    {set(22, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), BadLinkAddress},
		"multicast sender":    {set(22, 0x01), BadLinkAddress},
		"no sender":           {set(22, 0, 0, 0, 0, 0, 0), BadLinkAddress},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (ARP{}).Parse(tt.spoil(unhex(t, arpRequestBytes)), new(Message)); got != tt.want {
				t.Errorf("Parse = %s, want %s", got, tt.want)
			}
		})
	}
}
