package plane

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/heraldlb/herald/e2e/lab"
)

// Monitor knows when which host had a VIP on an interface, by the kernels' own word: all
// have one clock.
type Monitor struct {
	cmds []*exec.Cmd
	done sync.WaitGroup

	mu    sync.Mutex
	spans []Span
}

// Span is a time in which a host had a VIP.
type Span struct {
	Host, VIP string
	// From and To are when; the zero To: still.
	From, To time.Time
}

// stamp is the time as ip -ts has it.
const stamp = "2006-01-02T15:04:05.000000"

// NewMonitor watches until Stop. What a host has already counts from now on.
func (p *Plane) NewMonitor(ctx context.Context) (*Monitor, error) {
	m := new(Monitor)
	for _, host := range p.ControlPlanes() {
		cmd := host.Prompt(ctx, "ip", "-tshort", "monitor", "address")
		out, err := cmd.StdoutPipe()
		if err != nil {
			return nil, errors.Join(err, m.end())
		}
		if err := cmd.Start(); err != nil {
			return nil, errors.Join(err, m.end())
		}
		m.cmds = append(m.cmds, cmd)
		m.done.Go(func() { p.follow(m, host, out) })
	}
	holders, err := p.Holders(ctx)
	if err != nil {
		return nil, errors.Join(err, m.end())
	}
	for _, host := range holders {
		for _, vip := range p.VIPs() {
			m.note(host.Name, vip.String(), time.Now(), true)
		}
	}
	return m, nil
}

// follow reads such as "[2026-11-27T01:47:17.123456] Deleted 4: eth0    inet 192.0.2.1/32 …".
func (p *Plane) follow(m *Monitor, host lab.Host, out io.Reader) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		text, found := strings.CutPrefix(lines.Text(), "[")
		when, text, closed := strings.Cut(text, "]")
		at, err := time.ParseInLocation(stamp, when, time.Local)
		if !found || !closed || err != nil {
			continue
		}
		for _, vip := range p.VIPs() {
			if strings.Contains(text, " "+vip.String()+"/") && !strings.Contains(text, ": lo ") { // where it lingers
				m.note(host.Name, vip.String(), at, !strings.Contains(text, "Deleted"))
			}
		}
	}
}

func (m *Monitor) note(host, vip string, at time.Time, on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	open := slices.IndexFunc(m.spans, func(s Span) bool { return s.Host == host && s.VIP == vip && s.To.IsZero() })
	switch {
	case on && open < 0:
		m.spans = append(m.spans, Span{Host: host, VIP: vip, From: at})
	case !on && open >= 0:
		m.spans[open].To = at
	}
}

// Stop ends the watch, and returns what was seen.
func (m *Monitor) Stop() ([]Span, error) {
	err := m.end()
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	for i := range m.spans {
		if m.spans[i].To.IsZero() {
			m.spans[i].To = now
		}
	}
	return m.spans, err
}

func (m *Monitor) end() (err error) {
	for _, cmd := range m.cmds {
		err = errors.Join(err, cmd.Process.Signal(syscall.SIGTERM))
	}
	m.done.Wait()
	for _, cmd := range m.cmds {
		_ = cmd.Wait() // it was told to end
	}
	return err
}

// Overlap is a time in which two hosts had one VIP.
type Overlap struct {
	A, B Span
	Long time.Duration
}

// Overlaps returns all of them.
func Overlaps(spans []Span) (all []Overlap) {
	for i, a := range spans {
		for _, b := range spans[:i] {
			if a.VIP != b.VIP || a.Host == b.Host {
				continue
			}
			to := a.To
			if b.To.Before(to) {
				to = b.To
			}
			if long := to.Sub(later(a.From, b.From)); long > 0 {
				all = append(all, Overlap{a, b, long})
			}
		}
	}
	return all
}
