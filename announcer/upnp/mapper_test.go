package upnp

import (
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer/upnp/upnptest"
)

const allowAll = "allow 1-65535 192.0.2.0/24 1-65535"

func TestMapperMapsAndRemoves(t *testing.T) {
	for name, more := range map[string][]string{
		"IGDv2": {allowAll},
		"IGDv1": {allowAll, "force_igd_desc_v1=yes"},
	} {
		t.Run(name, func(t *testing.T) {
			h := upnptest.New(t)
			h.Start(t, more...)
			m := hold(t)
			web, dns := ofService(80, TCP), ofService(53, UDP)
			m.Set([]Want{web, dns}, nil)
			if got := m.awaitState(t, web.Rule, Mapped).External.String(); got != upnptest.ExternalAddress+":80" {
				t.Errorf("external %s", got)
			}
			m.awaitState(t, dns.Rule, Mapped)
			table := h.Table(t)
			for _, want := range []string{"TCP    80->192.0.2.200:80", "UDP    53->192.0.2.200:53", "'herald default/web'"} {
				if !strings.Contains(table, want) {
					t.Errorf("no %q in\n%s", want, table)
				}
			}

			m.Set([]Want{dns}, nil)
			m.awaitSettled(t)
			if table := h.Table(t); strings.Contains(table, "TCP") || !strings.Contains(table, "UDP") {
				t.Errorf("left is\n%s", table)
			}
		})
	}
}

func TestMapperMovesWithTheHolder(t *testing.T) {
	h := upnptest.New(t)
	h.Start(t, allowAll)
	old, next := hold(t), hold(t)
	web := ofService(80, TCP)
	old.Set([]Want{web}, nil)
	old.awaitState(t, web.Rule, Mapped)
	next.Set([]Want{web}, nil)
	next.awaitState(t, web.Rule, Mapped)
	old.Set(nil, []Rule{web.Rule})
	old.awaitSettled(t)
	old.stop()
	if table := h.Table(t); !strings.Contains(table, "80->192.0.2.200:80") {
		t.Errorf("the old holder removed what the new one holds:\n%s", table)
	}
	next.Set(nil, nil)
	next.awaitSettled(t)
	if table := h.Table(t); table != "" && strings.Contains(table, upnptest.ServiceAddress) {
		t.Errorf("the new holder did not remove it:\n%s", table)
	}
}

func TestMapperDoesNotOverwrite(t *testing.T) {
	h := upnptest.New(t)
	h.Start(t, allowAll)
	h.Client(t, "-e", "somebody's", "-a", upnptest.NodeAddress, "80", "80", "TCP", "600")
	m := hold(t)
	web := ofService(80, TCP)
	m.Set([]Want{web}, nil)
	status := m.awaitState(t, web.Rule, Conflict)
	if want := `the gateway 192.0.2.1 passes 80/TCP on to 192.0.2.21:80 already ("somebody's")`; status.Problem != want {
		t.Errorf("problem %q, want %q", status.Problem, want)
	}
	m.Set(nil, nil)
	m.awaitSettled(t)
	if table := h.Table(t); !strings.Contains(table, "80->192.0.2.21:80") {
		t.Errorf("left is\n%s", table)
	}

	m.Set([]Want{web}, nil)
	m.awaitState(t, web.Rule, Conflict)
	h.Client(t, "-d", "80", "TCP")
	m.awaitState(t, web.Rule, Mapped)
}

func TestMapperTellsWhatIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		lines []string
		want  Want
		says  string
	}{
		"a port that is not allowed":          {[]string{"allow 1024-65535 192.0.2.0/24 1024-65535", "deny 0-65535 0.0.0.0/0 0-65535"}, ofService(80, TCP), "error 606"},
		"a host that asks for another":        {[]string{allowAll, "secure_mode=yes"}, ofService(80, TCP), "its own address only"},
		"a pinhole for another":               {[]string{allowAll}, pinhole("2001:db8::200", 8080), "its own address only"},
		"a pinhole where there is no service": {[]string{allowAll, "force_igd_desc_v1=yes"}, pinhole("2001:db8::200", 8080), "no service for it"},
	} {
		t.Run(name, func(t *testing.T) {
			h := upnptest.New(t)
			h.Start(t, test.lines...)
			m := hold(t)
			m.Set([]Want{test.want}, nil)
			status := m.awaitState(t, test.want.Rule, Refused)
			if !strings.Contains(status.Problem, test.says) {
				t.Errorf("problem %q, want %q in it", status.Problem, test.says)
			}
			t.Log(status.Problem)
		})
	}
}

func TestMapperMapsAgain(t *testing.T) {
	for name, end := range map[string]syscall.Signal{"says farewell": syscall.SIGTERM, "crashes": syscall.SIGKILL} {
		t.Run("a gateway that "+name, func(t *testing.T) {
			h := upnptest.New(t)
			d := h.Start(t, allowAll)
			m := hold(t)
			web := ofService(80, TCP)
			m.Set([]Want{web}, nil)
			m.awaitState(t, web.Rule, Mapped)
			d.Stop(t, end)
			start, maps := time.Now(), m.Statistics().Maps
			h.Start(t, allowAll) // with nothing in its table
			m.await(t, web.Rule, func(s Status) bool { return s.State == Mapped && m.Statistics().Maps > maps })
			t.Logf("mapped again after %v", time.Since(start))
			if table := h.Table(t); !strings.Contains(table, "80->192.0.2.200:80") {
				t.Errorf("after the restart\n%s", table)
			}
		})
	}
}

func TestMapperWaitsForAGateway(t *testing.T) {
	h := upnptest.New(t)
	m := hold(t)
	web := ofService(80, TCP)
	m.Set([]Want{web}, nil)
	status := m.awaitState(t, web.Rule, NoGateway)
	if want := "gateway 192.0.2.1: it does not answer a search for an Internet Gateway Device"; status.Problem != want {
		t.Errorf("problem %q, want %q", status.Problem, want)
	}
	h.Start(t, allowAll)
	m.awaitState(t, web.Rule, Mapped)
}

func pinhole(client string, port uint16) Want {
	want := ofService(port, TCP)
	want.Client = netip.MustParseAddr(client)
	return want
}
