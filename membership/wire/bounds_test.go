package wire

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/heraldlb/herald/election"
)

// longest is a name of MaxName bytes.
func longest() []byte {
	return []byte(strings.Repeat(strings.Repeat("a", 63)+".", 3) + strings.Repeat("a", 61))
}

// fullUpdate returns a message with as many entries of IPv6 as may be.
func fullUpdate() *election.Message {
	m := &election.Message{Kind: election.Update, Version: 1}
	for a := netip.MustParseAddr("2001:db8::1"); (len(m.Claims)+1)*17 <= election.MaxEntryBytes; a = a.Next() {
		m.Claims = append(m.Claims, election.Claim{Address: a})
	}
	return m
}

// The largest of everything fits.
func TestLargest(t *testing.T) {
	h := header()
	h.Name = longest()
	beat := heartbeat()
	beat.Prefixes = slices.Repeat(prefixes("2001:db8::/64"), MaxPrefixes)
	full := fullUpdate()
	over := fullUpdate()
	over.Dropped = append(over.Dropped, netip.MustParseAddr("2001:db8::"))
	many := &election.Message{Kind: election.Update}
	for range election.MaxEntryBytes / 5 {
		many.Dropped = append(many.Dropped, netip.MustParseAddr("192.0.2.1"))
	}
	for name, body := range map[string]any{
		"heartbeat": beat, "claims of IPv6": full, "dropped of IPv4": many, "refusal": &Refusal{Node: longest(), Incarnation: 1},
	} {
		b, err := seal(NewSealer(cluster, key), h, body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, _, reason := open(NewOpener(cluster, key), b); reason != Accepted {
			t.Errorf("%s: %v", name, reason)
		}
		t.Logf("%s: %d bytes", name, len(b))
	}
	if _, err := seal(NewSealer(cluster, key), h, over); !errors.Is(err, BadCount) {
		t.Errorf("an entry too many: %v", err)
	}
}

func TestCheckName(t *testing.T) {
	for _, name := range []string{"a", "0", "node-1", "node--1.example.org", string(longest())} {
		if err := CheckName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"", "Node", "nöde", "a b", "a.", "-", ".", string(longest()) + "a"} {
		if err := CheckName(name); !errors.Is(err, BadName) {
			t.Errorf("%q: %v, want %v", name, err, BadName)
		}
	}
}

func TestParseKey(t *testing.T) {
	text := strings.Repeat("k", MinKey)
	for _, file := range []string{text, text + "\n", " \t" + text + "\r\n"} {
		if got, err := ParseKey([]byte(file)); err != nil || string(got) != text {
			t.Errorf("%q: %q, %v", file, got, err)
		}
	}
	if _, err := ParseKey(bytes.Repeat([]byte{0xff}, MaxKey)); err != nil {
		t.Error(err)
	}
	for _, file := range []string{"", "\n", text[1:] + "\n", strings.Repeat("k", MaxKey+1)} {
		if _, err := ParseKey([]byte(file)); err == nil {
			t.Errorf("%d bytes are taken", len(file))
		}
	}
}

func TestOnLink(t *testing.T) {
	many := func(n int) (all []netip.Prefix) {
		for i := range n {
			all = append(all, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), 0, 1}), 16))
		}
		return all
	}
	for _, c := range []struct {
		name      string
		addresses []netip.Prefix
		want      []netip.Prefix
		left      int
	}{
		{"no address", nil, nil, 0},
		{"host bits", prefixes("192.0.2.1/24", "2001:db8::1/64"), prefixes("192.0.2.0/24", "2001:db8::/64"), 0},
		{"order, doubles", prefixes("2001:db8::1/64", "192.0.2.2/24", "192.0.2.1/24"), prefixes("192.0.2.0/24", "2001:db8::/64"), 0},
		{"one in another", prefixes("10.1.2.3/24", "10.0.0.1/8", "10.255.0.1/32", "11.0.0.1/32"), prefixes("10.0.0.0/8", "11.0.0.1/32"), 0},
		{"link-local", prefixes("fe80::1/64", "169.254.1.1/16"), prefixes("169.254.0.0/16"), 0},
		{"what is not on-link", prefixes("127.0.0.1/8", "::1/128", "10.0.0.1/0", "224.0.0.1/4"), nil, 0},
		{"as many as may be", many(16), many(16), 0},
		{"too many", many(20), many(16), 4},
	} {
		got, left := OnLink(c.addresses)
		for i := range c.want {
			c.want[i] = c.want[i].Masked()
		}
		if !slices.Equal(got, c.want) || left != c.left {
			t.Errorf("%s: %v and %d left, want %v and %d", c.name, got, left, c.want, c.left)
		}
		beat := heartbeat()
		beat.Prefixes = got
		if reason := beat.check(); reason != Accepted {
			t.Errorf("%s: %v", c.name, reason)
		}
	}
}

// Labels are words of their own: a metric has one series for each.
func TestReasons(t *testing.T) {
	seen := make(map[string]Reason)
	for r := range Reasons {
		if r.Label() == "" || r.Error() == "" {
			t.Errorf("reason %d has no text", r)
		}
		if twin, ok := seen[r.Label()]; ok {
			t.Errorf("reasons %d and %d are both labelled %q", twin, r, r.Label())
		}
		seen[r.Label()] = r
	}
	if got := fmt.Sprint(Reasons); got != "unknown reason" {
		t.Errorf("%q", got)
	}
}
