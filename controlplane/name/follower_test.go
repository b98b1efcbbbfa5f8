package name

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// answers is a Resolver that is told what to say.
type answers struct {
	mu  sync.Mutex
	all map[string][]string
	err map[string]error
}

func (a *answers) LookupNetIP(_ context.Context, network, host string) (all []netip.Addr, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.err[network]; err != nil {
		return nil, err
	}
	for _, text := range a.all[network] {
		all = append(all, netip.MustParseAddr(text))
	}
	if len(all) == 0 {
		return nil, &net.DNSError{Name: host, IsNotFound: true}
	}
	return all, nil
}

func (a *answers) set(v4, v6 []string, failed ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all, a.err = map[string][]string{"ip4": v4, "ip6": v6}, make(map[string]error)
	for _, network := range failed {
		a.err[network] = errors.New("server misbehaving")
	}
}

func addrs(texts ...string) (all []netip.Addr) {
	for _, text := range texts {
		all = append(all, netip.MustParseAddr(text))
	}
	return all
}

// A name is tried until it is known, then looked up every 30 seconds; only changes are
// told, and what cannot be looked up stays as it is known.
func TestFollow(t *testing.T) {
	const period = DefaultPeriod
	synctest.Test(t, func(t *testing.T) {
		resolver := new(answers)
		var told [][]netip.Addr
		f := New("cp.example", period, resolver, func(all []netip.Addr) { told = append(told, all) }, slog.New(slog.NewTextHandler(t.Output(), nil)))
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- f.Run(ctx) }()
		expect := func(after time.Duration, what string, want ...[]netip.Addr) {
			t.Helper()
			<-time.After(after)
			synctest.Wait()
			if !slices.EqualFunc(told, want, slices.Equal) {
				t.Errorf("%s: told %v, want %v", what, told, want)
			}
			told = nil
		}
		expect(time.Second, "not known")
		resolver.set([]string{"10.0.0.50"}, nil)
		expect(retry, "known", addrs("10.0.0.50"))
		expect(10*period, "no change")
		resolver.set([]string{"10.0.0.60", "10.0.0.51", "127.0.1.1", "10.0.0.51"}, []string{"2001:db8::50"})
		expect(period, "several", addrs("10.0.0.51", "2001:db8::50"))
		resolver.set([]string{"10.0.0.52"}, nil, "ip6")
		expect(period, "a family fails", addrs("10.0.0.52", "2001:db8::50"))
		resolver.set(nil, nil)
		expect(period, "gone")
		resolver.set(nil, nil, "ip4", "ip6")
		expect(period, "fails")
		resolver.set(nil, []string{"2001:db8::50"})
		expect(period, "one family", addrs("2001:db8::50"))
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// What a real DNS server says of a name is understood, also that there is no address of
// a family, or that it failed.
func TestDNS(t *testing.T) {
	zone := map[dnsmessage.Type][]dnsmessage.ResourceBody{
		dnsmessage.TypeA: {
			&dnsmessage.AResource{A: [4]byte{10, 0, 0, 51}}, &dnsmessage.AResource{A: [4]byte{10, 0, 0, 50}},
		},
	}
	server, refuse := serveDNS(t, zone)
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server)
	}}
	var told []netip.Addr
	f := New("cp.example.", DefaultPeriod, resolver, func(all []netip.Addr) { told = all }, slog.New(slog.NewTextHandler(t.Output(), nil)))
	for _, step := range []struct {
		what   string
		refuse bool
		v6     []dnsmessage.ResourceBody
		want   []netip.Addr
	}{
		{"IPv4 alone", false, nil, addrs("10.0.0.50")},
		{"both", false, []dnsmessage.ResourceBody{&dnsmessage.AAAAResource{AAAA: netip.MustParseAddr("2001:db8::50").As16()}}, addrs("10.0.0.50", "2001:db8::50")},
		{"IPv6 gone, but the server fails", true, nil, addrs("10.0.0.50", "2001:db8::50")},
		{"IPv6 gone", false, nil, addrs("10.0.0.50")},
	} {
		refuse(step.refuse, step.v6)
		f.look(t.Context())
		if !slices.Equal(told, step.want) {
			t.Errorf("%s: told %v, want %v", step.what, told, step.want)
		}
	}
}

// serveDNS answers from a zone for any name, until the test ends; set has it fail, and
// says what the AAAA records are.
func serveDNS(t *testing.T, zone map[dnsmessage.Type][]dnsmessage.ResourceBody) (at string, set func(failing bool, v6 []dnsmessage.ResourceBody)) {
	t.Helper()
	conn, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	failing := false
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = conn.Close()
		<-done
	})
	go func() {
		defer close(done)
		buffer := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if err := m.Unpack(buffer[:n]); err != nil || len(m.Questions) != 1 {
				t.Errorf("query: %v", err)
				return
			}
			m.Response, m.Authoritative, m.RecursionAvailable, m.Additionals = true, true, true, nil
			q := m.Questions[0]
			mu.Lock()
			if failing {
				m.RCode = dnsmessage.RCodeServerFailure
			} else {
				for _, body := range zone[q.Type] {
					m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 1}, Body: body})
				}
			}
			mu.Unlock()
			answer, err := m.Pack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = conn.WriteTo(answer, from)
		}
	}()
	return conn.LocalAddr().String(), func(fails bool, v6 []dnsmessage.ResourceBody) {
		mu.Lock()
		defer mu.Unlock()
		failing, zone[dnsmessage.TypeAAAA] = fails, v6
	}
}
