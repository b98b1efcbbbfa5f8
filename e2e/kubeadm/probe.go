package main

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"
)

const (
	// begun is what probe prints when the VIP has answered each kind of question.
	begun    = "begun"
	interval = 10 * time.Millisecond
)

// probe asks a VIP, 100 times a second: by ICMP, and for /readyz on new connections. It
// prints for how long there was no answer. It runs in the client.
func probe(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("probe", flag.ContinueOnError)
	var vip netip.Addr
	flags.TextVar(&vip, "vip", netip.Addr{}, "the address")
	span := flags.Duration("for", 20*time.Second, "how long")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ping, err := newPing(vip)
	if err != nil {
		return err
	}
	defer ping.conn.Close() //nolint:errcheck // at the end
	kinds := []struct {
		name string
		ask  func(context.Context, int) error
	}{{"ping", ping.ask}, {"readyz", readyz(vip)}}
	for _, kind := range kinds {
		if err := kind.ask(ctx, 0); err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
	}
	fmt.Fprintln(out, begun)
	limited, stop := context.WithTimeout(ctx, *span)
	defer stop()
	var asking sync.WaitGroup
	records := make([]record, len(kinds))
	for i, kind := range kinds {
		asking.Go(func() { records[i].run(limited, kind.ask) })
	}
	asking.Wait()
	var failed error
	for i, kind := range kinds {
		fmt.Fprintf(out, "   %-6s %s\n", kind.name, records[i].String())
		if !records[i].recovered() {
			failed = errors.Join(failed, fmt.Errorf("%s: no answer at the end", kind.name))
		}
	}
	return failed
}

// record is when questions were put that were answered, and how many were not.
type record struct {
	mu       sync.Mutex
	asked    int
	answered []time.Duration // since the start
	end      time.Duration
}

func (r *record) run(ctx context.Context, ask func(context.Context, int) error) {
	start := time.Now()
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	var waiting sync.WaitGroup
	for number := 1; ; number++ {
		select {
		case <-ctx.Done():
			waiting.Wait()
			r.end = time.Since(start)
			return
		case <-ticker.C:
		}
		r.asked++
		waiting.Go(func() {
			at := time.Since(start)
			if ask(context.WithoutCancel(ctx), number) != nil {
				return
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			r.answered = append(r.answered, at)
		})
	}
}

// outage is the longest time between two questions that were answered.
func (r *record) outage() (longest time.Duration) {
	slices.Sort(r.answered)
	for i := 1; i < len(r.answered); i++ {
		longest = max(longest, r.answered[i]-r.answered[i-1])
	}
	return longest
}

func (r *record) recovered() bool {
	return len(r.answered) > 0 && r.end-slices.Max(r.answered) < 3*time.Second
}

func (r *record) String() string {
	return fmt.Sprintf("%d asked, %d without an answer, longest outage %d ms", r.asked, r.asked-len(r.answered), r.outage().Milliseconds())
}

const patience = time.Second

// readyz asks an API server if it is ready, on a connection of its own. Who answers is
// not its concern: kubectl asks for that.
func readyz(vip netip.Addr) func(context.Context, int) error {
	client := http.Client{Timeout: patience, Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // as said
	}}
	url := "https://" + netip.AddrPortFrom(vip, 6443).String() + "/readyz"
	return func(ctx context.Context, _ int) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		answer, err := client.Do(request)
		if err != nil {
			return err
		}
		defer answer.Body.Close() //nolint:errcheck // read only
		if answer.StatusCode != http.StatusOK {
			return errors.New(answer.Status)
		}
		return nil
	}
}

// ping sends ICMP echo requests (RFC 792) and knows replies by their number.
type ping struct {
	to   net.IPAddr
	conn *net.IPConn
	id   uint16

	mu      sync.Mutex
	waiting map[uint16]chan struct{}
}

func newPing(vip netip.Addr) (*ping, error) {
	conn, err := net.ListenIP("ip4:icmp", nil)
	if err != nil {
		return nil, err
	}
	p := &ping{to: net.IPAddr{IP: vip.AsSlice()}, conn: conn, id: uint16(os.Getpid()), waiting: make(map[uint16]chan struct{})}
	go p.listen()
	return p, nil
}

func (p *ping) listen() {
	reply := make([]byte, 128)
	for {
		n, from, err := p.conn.ReadFromIP(reply)
		if err != nil {
			return // closed
		}
		if n < 8 || reply[0] != 0 || !from.IP.Equal(p.to.IP) || binary.BigEndian.Uint16(reply[4:]) != p.id {
			continue
		}
		p.mu.Lock()
		number := binary.BigEndian.Uint16(reply[6:])
		if answered, ok := p.waiting[number]; ok {
			close(answered)
			delete(p.waiting, number)
		}
		p.mu.Unlock()
	}
}

func (p *ping) ask(ctx context.Context, number int) error {
	answered := make(chan struct{})
	p.mu.Lock()
	p.waiting[uint16(number)] = answered
	p.mu.Unlock()
	request := binary.BigEndian.AppendUint16([]byte{8, 0, 0, 0}, p.id)
	request = binary.BigEndian.AppendUint16(request, uint16(number))
	sum := uint32(8<<8) + uint32(p.id) + uint32(uint16(number))
	sum = sum&0xffff + sum>>16
	sum = sum&0xffff + sum>>16
	binary.BigEndian.PutUint16(request[2:], ^uint16(sum))
	if _, err := p.conn.WriteToIP(request, &p.to); err != nil {
		return err
	}
	limited, stop := context.WithTimeout(ctx, patience)
	defer stop()
	select {
	case <-answered:
		return nil
	case <-limited.Done():
		return errors.New("no echo")
	}
}
