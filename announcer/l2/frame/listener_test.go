package frame

import (
	"net/netip"
	"testing"
)

// A report as Linux sends it, but for the group.
const listenerBytes = `
	333300000016 020000000001 86dd
	60000000 0024 00 01                      # hop-by-hop, one hop
	fe800000000000000000000000000001
	ff020000000000000000000000000016         # to all MLDv2 routers
	3a 00 05 02 0000 01 00                   # router alert
	8f 00 70f8 0000 0001                     # a report of one record
	04 00 0000 ff0200000000000000000001ff000010`

func TestListener(t *testing.T) {
	message := unhex(t, `8f 00 0000 0000 0001 04 00 0000 ff0200000000000000000001ff000010`)
	b, err := Listener(us(), netip.MustParseAddr("fe80::1"), netip.MustParseAddr("ff02::16"), message)
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "report", b, unhex(t, listenerBytes))
}
