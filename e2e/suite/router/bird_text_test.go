package router

import (
	"net/netip"
	"reflect"
	"testing"
	"time"
)

const protocols = `BIRD 2.0.12 ready.
Name       Proto      Table      State  Since         Info
device1    Device     ---        up     07:25:42.100
node1      BGP        ---        up     07:25:43.607  Established
  BGP state:          Established
    Neighbor address: 192.168.100.21
    Neighbor AS:      64513
    Session:          external AS4
    Hold timer:       20.212/30
    Keepalive timer:  7.100/10
  Channel ipv4
    State:          UP
    Table:          master4
    Routes:         2 imported, 0 exported, 2 preferred
    Route change stats:     received   rejected   filtered    ignored   accepted
      Import updates:              2          0          0          0          2
  Channel ipv6
    State:          UP
    Routes:         1 imported, 0 exported, 1 preferred

node2      BGP        ---        start  07:25:43.607  Passive       Received: Administrative reset
  BGP state:          Passive
    Last error:       Received: Administrative reset

`

func TestProtocols(t *testing.T) {
	got, err := parseProtocols(protocols)
	want := map[string]Session{
		"node1": {State: Established, HoldTime: 30 * time.Second, Routes: map[int]int{4: 2, 6: 1}},
		"node2": {State: "Passive", Reason: "Received: Administrative reset", Routes: map[int]int{}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

const routes = `BIRD 2.0.12 ready.
Table master4:
10.77.0.1/32         unicast [node1 07:25:43.661] * (100) [AS64513i]
	via 192.168.100.21 on eth0
	Type: BGP univ
	BGP.origin: IGP
	BGP.as_path: 64513 64513
	BGP.next_hop: 192.168.100.21
	BGP.med: 20
	BGP.local_pref: 100
	BGP.community: (64513,100) (65535,65281)
	BGP.large_community: (64513, 1, 2) (64513, 3, 4)
                     unicast [node2 07:25:43.670] (100) [AS64513i]
	via 192.168.100.22 on eth0
	BGP.as_path: 64513
	BGP.local_pref: 100

Table master6:
fd00:77::1/128       unreachable [static2 07:25:43.385] * (200)
	Type: static univ
`

func TestRoutes(t *testing.T) {
	got, err := parseRoutes(routes)
	med, prefix := uint32(20), netip.MustParsePrefix("10.77.0.1/32")
	want := []Route{
		{
			Prefix: prefix, From: "node1", NextHops: []netip.Addr{netip.MustParseAddr("192.168.100.21")}, Path: []uint32{64513, 64513},
			Communities: []string{"64513:100", "65535:65281"}, LargeCommunities: []string{"64513:1:2", "64513:3:4"},
			MED: &med, LocalPreference: 100, Best: true,
		},
		{
			Prefix: prefix, From: "node2", NextHops: []netip.Addr{netip.MustParseAddr("192.168.100.22")}, Path: []uint32{64513},
			LocalPreference: 100,
		},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func FuzzText(f *testing.F) {
	f.Add(protocols)
	f.Add(routes)
	f.Fuzz(func(_ *testing.T, text string) {
		_, _ = parseProtocols(text)
		_, _ = parseRoutes(text)
	})
}
