package frame

import (
	"encoding/binary"
	"net/netip"
	"testing"
)

const solicitationBytes = `
	3333ff000010 020000000099 86dd
	60000000 0020 3a ff                      # 32 bytes of ICMPv6, hop limit 255
	20010db8000000000000000000000099         # from 2001:db8::99
	ff0200000000000000000001ff000010         # to the solicited-node group
	87 00 1adb 00000000
	20010db8000000000000000000000010         # who has 2001:db8::10?
	01 01 020000000099                       # source link-layer address`

const unicastSolicitationBytes = `
	020000000001 020000000099 86dd           # neighbour unreachability detection
	60000000 0018 3a ff
	20010db8000000000000000000000099
	20010db8000000000000000000000010
	87 00 eec8 00000000
	20010db8000000000000000000000010`

const advertisementBytes = `
	020000000099 020000000001 86dd
	60000000 0020 3a ff
	20010db8000000000000000000000010
	20010db8000000000000000000000099
	88 00 89be 60000000                      # solicited, override
	20010db8000000000000000000000010
	02 01 020000000001                       # target link-layer address`

const dadBytes = `
	3333ff000010 020000000099 86dd
	60000000 0018 3a ff
	00000000000000000000000000000000         # RFC 4862: from nobody
	ff0200000000000000000001ff000010
	87 00 4ccf 00000000
	20010db8000000000000000000000010`

const unsolicitedBytes = `
	333300000001 020000000001 86dd
	60000000 0020 3a ff
	20010db8000000000000000000000010
	ff020000000000000000000000000001         # to all nodes
	88 00 f90c 20000000                      # override
	20010db8000000000000000000000010
	02 01 020000000001`

func TestParseNDP(t *testing.T) {
	vip, clientIP := netip.MustParseAddr("2001:db8::10"), netip.MustParseAddr("2001:db8::99")
	for name, tt := range map[string]struct {
		frame string
		want  Message
		probe bool
	}{
		"solicitation":                {solicitationBytes, Message{Asks: vip, Uses: clientIP, From: client()}, false},
		"unicast solicitation":        {unicastSolicitationBytes, Message{Asks: vip, Uses: clientIP, From: client()}, false},
		"duplicate address detection": {dadBytes, Message{Asks: vip, From: client()}, true},
		"solicited advertisement":     {advertisementBytes, Message{Uses: vip, From: us()}, false},
		"unsolicited advertisement":   {unsolicitedBytes, Message{Uses: vip, From: us()}, false},
	} {
		t.Run(name, func(t *testing.T) {
			m := parse(t, NDP{}, unhex(t, tt.frame))
			diff(t, "message", m, tt.want)
			diff(t, "probe", m.Probe(), tt.probe)
		})
	}
}

func TestWriteNDP(t *testing.T) {
	vip := netip.MustParseAddr("2001:db8::10")
	reply := func(request string) []byte {
		b := make([]byte, MaxReply)
		m := parse(t, NDP{}, unhex(t, request))
		return b[:NDP{}.Reply(b, us(), &m)]
	}
	diff(t, "reply", reply(solicitationBytes), unhex(t, advertisementBytes))
	diff(t, "reply to unicast", reply(unicastSolicitationBytes), unhex(t, advertisementBytes))
	diff(t, "reply to duplicate address detection", reply(dadBytes), unhex(t, unsolicitedBytes))
	b, err := NDP{}.Announcement(us(), vip)
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "announcement", b, unhex(t, unsolicitedBytes))
	b, err = NDP{}.Probe(client(), vip)
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "probe", b, unhex(t, dadBytes))
	b, err = NDP{}.Question(client(), netip.MustParseAddr("2001:db8::99"), vip)
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "question", b, unhex(t, solicitationBytes))
	if _, err := (NDP{}).Probe(us(), netip.MustParseAddr("::ffff:192.0.2.1")); err == nil {
		t.Error("a solicitation for an IPv4 address was built")
	}
}

func TestMalformedNDP(t *testing.T) {
	set := func(offset int, values ...byte) func([]byte) []byte {
		return func(b []byte) []byte { copy(b[offset:], values); return b }
	}
	and := func(first, then func([]byte) []byte) func([]byte) []byte {
		return func(b []byte) []byte { return then(first(b)) }
	}
	for name, tt := range map[string]struct {
		frame string
		spoil func([]byte) []byte
		want  Fault
	}{
		"empty":                       {solicitationBytes, func([]byte) []byte { return nil }, Truncated},
		"no target":                   {solicitationBytes, func(b []byte) []byte { return b[:ndTarget] }, Truncated},
		"cut off":                     {solicitationBytes, func(b []byte) []byte { return b[:len(b)-1] }, Truncated},
		"length too small":            {solicitationBytes, set(ip6Length, 0, 23), Truncated},
		"length too large":            {solicitationBytes, set(ip6Length, 0xff, 0xff), Truncated},
		"another ether type":          {solicitationBytes, set(etherType, 0x08, 0x00), Foreign},
		"IP version 4":                {solicitationBytes, set(etherSize, 0x40), Foreign},
		"hop-by-hop options":          {solicitationBytes, set(ip6NextHeader, 0), Foreign},
		"fragment":                    {solicitationBytes, set(ip6NextHeader, 44), Foreign},
		"router advertisement":        {solicitationBytes, and(set(icmpType, 134), resum), Foreign},
		"forwarded":                   {solicitationBytes, set(ip6HopLimit, 254), BadHopLimit},
		"code":                        {solicitationBytes, and(set(icmpCode, 1), resum), BadCode},
		"checksum":                    {solicitationBytes, set(icmpChecksum, 0, 0), BadChecksum},
		"multicast target":            {solicitationBytes, and(set(ndTarget, 0xff, 0x02), resum), BadAddress},
		"multicast source":            {solicitationBytes, and(set(ip6Source, 0xff, 0x02), resum), BadAddress},
		"empty option":                {solicitationBytes, and(set(ndOptions+1, 0), resum), BadOption},
		"long option":                 {solicitationBytes, and(set(ndOptions+1, 2), resum), BadOption},
		"half an option":              {solicitationBytes, and(set(ip6Length, 0, 25), resum), BadOption},
		"group's link address":        {solicitationBytes, and(set(ndOptions+2, 0x33, 0x33), resum), BadLinkAddress},
		"no link address":             {solicitationBytes, and(set(ndOptions+2, 0, 0, 0, 0, 0, 0), resum), BadLinkAddress},
		"from nobody with an option":  {solicitationBytes, and(set(ip6Source, make([]byte, 16)...), resum), BadOption},
		"from nobody to all nodes":    {dadBytes, and(set(ip6To, make([]byte, 16)...), resum), BadAddress},
		"solicited, but to all nodes": {unsolicitedBytes, and(set(ndFlags, flagSolicited), resum), BadAddress},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (NDP{}).Parse(tt.spoil(unhex(t, tt.frame)), new(Message)); got != tt.want {
				t.Errorf("Parse = %s, want %s", got, tt.want)
			}
		})
	}
}

// resum makes the checksum right again.
func resum(b []byte) []byte {
	if len(b) < ndOptions {
		return b
	}
	end := min(len(b), ip6End+int(binary.BigEndian.Uint16(b[ip6Length:])))
	clear(b[icmpChecksum : icmpChecksum+2])
	if end > icmpChecksum+1 {
		binary.BigEndian.PutUint16(b[icmpChecksum:], checksum(b[ip6Source:ip6End], b[ip6End:end]))
	}
	return b
}

func TestSolicitedNode(t *testing.T) {
	// RFC 4291 section 2.7.1 gives this example.
	got := SolicitedNode(netip.MustParseAddr("4037::01:800:200e:8c6c"))
	if want := netip.MustParseAddr("ff02::1:ff0e:8c6c"); got != want {
		t.Errorf("SolicitedNode = %s, want %s", got, want)
	}
}
