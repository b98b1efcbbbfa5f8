package election

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heraldlb/herald/internal/transcript"
)

// one is a single Election, x, that is told what its members say.
type one struct {
	*Election
	t     *testing.T
	now   time.Time
	lines []string
}

// TestReplication replays what the members of x say of their claims, in whatever
// order it comes.
func TestReplication(t *testing.T) {
	transcript.Run(t, "testdata/replication/*.txt", func(t *testing.T) func([]string) []string {
		o := &one{Election: New(id("x"), DefaultTiming()), t: t, now: start}
		o.Stand(o.now, true)
		return func(words []string) []string {
			o.lines = nil
			o.tell(words)
			o.print()
			return o.lines
		}
	})
}

// tell carries out one line; in CLAIMS, +A is a claim, ~A one that yields, ?A one that
// is tentative, -A is given up:
//
//	put ADDRESS [probe] [on SEGMENTS] [ineligible]
//	probed ADDRESS
//	delete ADDRESS, stand, sit, leave, withdraw, rebalance
//	join NODE [on SEGMENTS] [sitting]
//	gone NODE
//	heard NODE VERSION CLAIMS         a heartbeat with the digest of these claims
//	update NODE VERSION CLAIMS
//	list NODE VERSION PART/PARTS CLAIMS
//	request NODE
//	wait DURATION
func (o *one) tell(words []string) {
	o.t.Helper()
	args := words[1:]
	switch words[0] {
	case "put":
		c := candidate(args[0])
		c.Probe = slices.Contains(args, "probe")
		o.options(args[1:], &c.Segments, &c.Eligible, "ineligible")
		o.Put(o.now, c)
	case "probed":
		o.Probed(o.now, netip.MustParseAddr(args[0]))
	case "delete":
		o.Delete(o.now, netip.MustParseAddr(args[0]))
	case "stand", "sit":
		o.Stand(o.now, words[0] == "stand")
	case "leave":
		o.Leave(o.now)
	case "withdraw":
		o.Withdraw(o.now)
	case "rebalance":
		o.Rebalance(o.now)
	case "join":
		m := peer(args[0])
		o.options(args[1:], &m.Segments, &m.Standing, "sitting")
		o.Join(o.now, m)
	case "gone":
		o.Gone(o.now, id(args[0]))
	case "heard":
		var d Digest
		for _, c := range o.claims(args[2:]).Claims {
			d.Count++
			d.Sum ^= fingerprint(c.Address, c.hold())
		}
		o.scan(args[1], "%d", &d.Version)
		o.Heard(o.now, id(args[0]), d)
	case "update":
		msg := o.claims(args[2:])
		msg.Kind = Update
		o.scan(args[1], "%d", &msg.Version)
		o.Receive(o.now, id(args[0]), msg)
	case "list":
		msg := o.claims(args[3:])
		msg.Kind = List
		o.scan(args[1]+" "+args[2], "%d %d/%d", &msg.Version, &msg.Part, &msg.Parts)
		msg.Part--
		o.Receive(o.now, id(args[0]), msg)
	case "request":
		o.Receive(o.now, id(args[0]), Message{Kind: Request})
	case "wait":
		o.wait(args[0])
	default:
		o.t.Fatalf("what is %q?", words)
	}
}

func (o *one) options(words []string, segments *Segments, flag *bool, not string) {
	for i, word := range words {
		switch word {
		case "on":
			o.scan(words[i+1], "%d", segments)
		case not:
			*flag = false
		}
	}
}

func (o *one) wait(text string) {
	d, err := time.ParseDuration(text)
	if err != nil {
		o.t.Fatal(err)
	}
	end := o.now.Add(d)
	for at, ok := o.Next(o.now); ok && !at.After(end); at, ok = o.Next(o.now) {
		o.now = at
		o.Advance(o.now)
		o.print()
	}
	o.now = end
}

func (o *one) claims(words []string) Message {
	var msg Message
	for _, word := range words {
		addr := netip.MustParseAddr(word[1:])
		if word[0] == '-' {
			msg.Dropped = append(msg.Dropped, addr)
		} else {
			msg.Claims = append(msg.Claims, Claim{Address: addr, Yielding: word[0] == '~', Tentative: word[0] == '?'})
		}
	}
	return msg
}

func (o *one) print() {
	sound(o.t, o.Election) // before Take, too
	effects := o.Take()
	sound(o.t, o.Election)
	for _, c := range effects.Changes {
		owner := c.Owner
		if owner == "" {
			owner = "nobody"
		}
		line := fmt.Sprintf("%s has %s", owner, c.Address)
		if c.Own && c.Tentative {
			line += ", and probes"
		}
		o.line("%s", line)
	}
	for _, addr := range effects.Again {
		o.line("announce %s again", addr)
	}
	for _, out := range effects.Messages {
		to, msg := out.To.Node, out.Message
		if to == "" {
			to = "all"
		}
		var claims strings.Builder
		for _, c := range msg.Claims {
			claims.WriteString(map[hold]string{yielding: " ~", tentative: " ?", firm: " +"}[c.hold()] + c.Address.String())
		}
		for _, addr := range msg.Dropped {
			claims.WriteString(" -" + addr.String())
		}
		switch msg.Kind {
		case Update:
			o.line("tell %s: update %d%s", to, msg.Version, claims.String())
		case List:
			o.line("tell %s: list %d %d/%d%s", to, msg.Version, msg.Part+1, msg.Parts, claims.String())
		case Request:
			o.line("ask %s", to)
		}
	}
}

func (o *one) line(format string, args ...any) {
	o.lines = append(o.lines, fmt.Sprintf("%8s  ", o.now.Sub(start))+fmt.Sprintf(format, args...))
}

func (o *one) scan(text, format string, into ...any) {
	o.t.Helper()
	if _, err := fmt.Sscanf(text, format, into...); err != nil {
		o.t.Fatal(err)
	}
}
