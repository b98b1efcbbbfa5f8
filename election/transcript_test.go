package election

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heraldlb/herald/internal/transcript"
)

func TestMain(m *testing.M) {
	transcript.Flag()
	flag.Uint64("seed", 0, "run the simulation with this seed only")
	os.Exit(m.Run())
}

// script is what happens to a cluster.
type script struct {
	t     *testing.T
	c     *cluster
	lines []string
	hosts map[netip.Addr][]string // of addresses with externalTrafficPolicy: Local
	all   []netip.Addr
	// trusted are those that agents know a node of ours to have answered for.
	trusted map[netip.Addr]bool
}

// Each file of testdata/cluster is a transcript: a line that starts with ">" is what happens
// to a cluster, those below it are what comes of it. With -update, the files are written anew.
func TestCluster(t *testing.T) {
	transcript.Run(t, "testdata/cluster/*.txt", func(t *testing.T) func([]string) []string {
		s := &script{t: t, c: newCluster(1), hosts: map[netip.Addr][]string{}, trusted: map[netip.Addr]bool{}}
		s.c.observe = s.print
		s.c.probed = func(n *node, addr netip.Addr) { s.line("%s found nobody on %s", n.name, addr) }
		return func(words []string) []string {
			s.lines = nil
			s.tell(words)
			return s.lines
		}
	})
}

// tell carries out one line:
//
//	start NODE… [on SEGMENTS]     nodes start, and are told of the addresses; on segments 1, 2 or 3 (both)
//	crash NODE…
//	leave NODE…                   SIGTERM
//	put ADDRESS [trusted] [local NODE…] [by NODE…]  a Service holds it; the agents of these nodes know;
//	                              trusted: and that a node of ours answered for it
//	delete ADDRESS [by NODE…]
//	exclude NODE…, include NODE…  the agent says that the node may own nothing, or may again
//	carrier NODE SEGMENTS         the node has these segments left
//	cut NODE… [segment N]         these nodes are parted from the others
//	heal
//	lose PROBABILITY              of datagrams
//	withdraw NODE…                it is cut off; return NODE… it is not any more
//	rebalance [NODE…]
//	clock NODE DURATION           its time of day jumps
//	stranger ADDRESS, no-stranger ADDRESS  somebody else uses it, or no longer
//	rank ADDRESS                  prints who comes first
//	owners                        prints who answers for what
//	wait DURATION
func (s *script) tell(words []string) {
	c, args := s.c, words[1:]
	each := func(do func(n *node)) {
		names := args
		if len(names) == 0 {
			for _, n := range c.nodes {
				names = append(names, n.name)
			}
		}
		for _, name := range names {
			if n := c.node(name); n.up {
				do(n)
				n.act()
			}
		}
	}
	switch words[0] {
	case "start":
		s.start(args)
	case "crash":
		each(func(n *node) { n.crash() })
	case "leave":
		each(func(n *node) { n.stands = false; n.Leave(n.clock()) })
	case "put", "delete":
		s.put(words[0] == "put", args)
	case "exclude", "include":
		each(func(n *node) { s.exclude(n, words[0] == "exclude") })
	case "carrier":
		n := c.node(args[0])
		n.carrier(s.segments(args[1]), func() { s.exclude(n, false) })
	case "cut":
		s.cut(args)
	case "heal":
		c.network.cut = nil
	case "lose":
		s.scan(args[0], "%g", &c.network.lost)
	case "withdraw":
		each(func(n *node) { n.stands, n.standsAt = false, c.now.Add(time.Hour); n.Withdraw(n.clock()) })
	case "return":
		each(func(n *node) { n.standsAt = c.now })
	case "rebalance":
		each(func(n *node) { n.Rebalance(n.clock()) })
	case "clock":
		n := c.node(args[0])
		n.skew += s.duration(args[1])
		n.act()
	case "stranger":
		s.c.strangers[netip.MustParseAddr(args[0])] = true
	case "no-stranger":
		s.c.leaves(netip.MustParseAddr(args[0]))
	case "rank":
		s.rank(netip.MustParseAddr(args[0]))
	case "owners":
		for _, addr := range s.all {
			line := fmt.Sprintf("          %s:", addr)
			for _, name := range c.owners(addr) {
				if line += " " + name; !c.node(name).owns[addr] {
					line += ", not answering"
				}
			}
			s.lines = append(s.lines, line)
		}
	case "wait":
		c.run(s.duration(args[0]))
	default:
		s.t.Fatalf("what is %q?", words)
	}
}

func (s *script) start(args []string) {
	segments := Segments(1)
	if i := slices.Index(args, "on"); i > 0 {
		segments = s.segments(args[i+1])
		args = args[:i]
	}
	for _, name := range args {
		n := s.c.start(name, segments, on)
		for _, addr := range s.all {
			n.Put(n.clock(), s.candidate(n, addr))
		}
		n.act()
	}
}

// candidate is what the agent of a node says of an address: 198.51.100.0/24 is
// on-link on segment 2, all else on segment 1.
func (s *script) candidate(n *node, addr netip.Addr) Candidate {
	hosts, local := s.hosts[addr]
	segment := Segments(1)
	if netip.MustParsePrefix("198.51.100.0/24").Contains(addr) {
		segment = 2
	}
	return Candidate{
		Address: addr, Segments: segment & n.serving, Hosts: hosts,
		Eligible: !local || slices.Contains(hosts, n.name),
		Probe:    !s.trusted[addr],
	}
}

func (s *script) put(put bool, args []string) {
	addr, by := netip.MustParseAddr(args[0]), []string(nil)
	args = args[1:]
	if i := slices.Index(args, "by"); i >= 0 {
		by, args = args[i+1:], args[:i]
	}
	if i := slices.Index(args, "trusted"); i >= 0 {
		s.trusted[addr], args = true, slices.Delete(args, i, i+1)
	}
	if len(args) > 0 {
		s.hosts[addr] = args[1:]
	}
	if !slices.Contains(s.all, addr) {
		s.all = append(s.all, addr)
	}
	for _, n := range s.c.nodes {
		if !n.up || by != nil && !slices.Contains(by, n.name) {
			continue
		}
		if put {
			n.Put(n.clock(), s.candidate(n, addr))
		} else {
			n.Delete(n.clock(), addr)
		}
		n.act()
	}
}

func (s *script) exclude(n *node, excluded bool) {
	for _, addr := range s.all {
		can := s.candidate(n, addr)
		can.Eligible = can.Eligible && !excluded
		n.Put(n.clock(), can)
	}
}

func (s *script) cut(args []string) {
	only := Segments(0)
	if i := slices.Index(args, "segment"); i > 0 {
		only = s.segments(args[i+1])
		args = args[:i]
	}
	s.c.network.cut = func(from, to *node, segment Segments) bool {
		return (only == 0 || only == segment) && slices.Contains(args, from.name) != slices.Contains(args, to.name)
	}
}

func (s *script) rank(addr netip.Addr) {
	names := []string{}
	for _, n := range s.c.nodes {
		names = append(names, n.name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if weight(a, addr) > weight(b, addr) {
			return -1
		}
		return 1
	})
	s.lines = append(s.lines, "          "+strings.Join(names, " "))
}

func (s *script) print(n *node, effects Effects) {
	for _, c := range effects.Changes {
		switch {
		case c.Own && c.Tentative:
			s.line("%s claims %s, and probes", n.name, c.Address)
		case c.Own:
			s.line("%s answers for %s at once", n.name, c.Address)
		case c.Owner == "":
			s.line("%s: nobody has %s", n.name, c.Address)
		default:
			s.line("%s: %s has %s", n.name, c.Owner, c.Address)
		}
	}
	for _, addr := range effects.Again {
		s.line("%s announces %s again", n.name, addr)
	}
	for _, out := range effects.Messages {
		if out.Message.Kind == Request {
			s.line("%s asks %s for its claims", n.name, out.To.Node)
		}
	}
}

func (s *script) line(format string, args ...any) {
	s.lines = append(s.lines, fmt.Sprintf("%8s  ", s.c.now.Sub(start))+fmt.Sprintf(format, args...))
}

func (s *script) duration(text string) time.Duration {
	s.t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

func (s *script) segments(text string) Segments {
	var segments Segments
	s.scan(text, "%d", &segments)
	return segments
}

func (s *script) scan(text, format string, into any) {
	s.t.Helper()
	if _, err := fmt.Sscanf(text, format, into); err != nil {
		s.t.Fatal(err)
	}
}
