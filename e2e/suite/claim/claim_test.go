package claim

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	const ethernet = "ffffffffffff 0200c0a86415 "
	for _, test := range []struct {
		name, frame string
		want        netip.Addr
		unasked     bool
	}{
		{
			"gratuitous ARP",
			ethernet + "0806 0001 0800 06 04 0001 0200c0a86415 c0a864c8 000000000000 c0a864c8",
			netip.MustParseAddr("192.168.100.200"),
			true,
		},
		{
			"ARP reply",
			ethernet + "0806 0001 0800 06 04 0002 0200c0a86415 c0a864c8 020000000105 c0a86405",
			netip.MustParseAddr("192.168.100.200"),
			false,
		},
		{
			"ARP probe",
			ethernet + "0806 0001 0800 06 04 0001 0200c0a86415 00000000 000000000000 c0a864c8",
			netip.Addr{},
			false,
		},
		{
			"neighbour advertisement, unsolicited",
			ethernet + "86dd 60000000 0020 3a ff fd000100000000000000000000000021 ff020000000000000000000000000001" +
				"88 00 0000 20000000 fd000100000000000000000000010000 02010200c0a86415",
			netip.MustParseAddr("fd00:100::1:0"),
			true,
		},
		{
			"neighbour advertisement, solicited",
			ethernet + "86dd 60000000 0020 3a ff fd000100000000000000000000000021 fd000100000000000000000000000005" +
				"88 00 0000 60000000 fd000100000000000000000000010000 02010200c0a86415",
			netip.MustParseAddr("fd00:100::1:0"),
			false,
		},
		{
			"neighbour solicitation",
			ethernet + "86dd 60000000 0018 3a ff fd000100000000000000000000000021 ff0200000000000000000001ff010000" +
				"87 00 0000 00000000 fd000100000000000000000000010000",
			netip.Addr{},
			false,
		},
		{
			"advertisement that is cut off",
			ethernet + "86dd 60000000 0020 3a ff fd000100000000000000000000000021 ff020000000000000000000000000001 88 00 0000 20000000 fd00",
			netip.Addr{},
			false,
		},
		{"ARP that is cut off", ethernet + "0806 0001 0800 06 04", netip.Addr{}, false},
		{"IPv4", ethernet + "0800" + strings.Repeat("00", 60), netip.Addr{}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			frame, err := hex.DecodeString(strings.ReplaceAll(test.frame, " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			got, ok := parse(frame)
			if got.Address != test.want || got.Unasked != test.unasked || ok != test.want.IsValid() {
				t.Errorf("got %v, %t; want %v, unasked %t", got, ok, test.want, test.unasked)
			}
			if ok && got.MAC != "02:00:c0:a8:64:15" {
				t.Errorf("sent by %s", got.MAC)
			}
		})
	}
}
