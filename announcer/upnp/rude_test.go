package upnp

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer/upnp/upnptest"
)

// pose answers every search at the gateway, as if there were a device at a location.
func pose(t *testing.T, h *upnptest.Home, location string) {
	t.Helper()
	var conn *net.UDPConn
	h.Gateway.Do(t, func() (err error) {
		conn, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("0.0.0.0:1900")))
		return err
	})
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		datagram := make([]byte, maxDatagram)
		for {
			_, from, err := conn.ReadFromUDPAddrPort(datagram)
			if err != nil {
				return
			}
			for _, text := range []string{
				"", "\x00\xff", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 404 Not Found\r\n\r\n", "HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\n\r\n",
				"HTTP/1.1 200 OK\r\nST: " + deviceOne + "\r\nLOCATION: " + location + "\r\n\r\n",
			} {
				_, _ = conn.WriteToUDPAddrPort([]byte(text), from)
			}
		}
	}()
}

// serve answers HTTP at a port of the gateway.
func serve(t *testing.T, h *upnptest.Home, port int, answer http.HandlerFunc) {
	t.Helper()
	var listener net.Listener
	h.Gateway.Do(t, func() (err error) {
		listener, err = net.Listen("tcp4", fmt.Sprintf(":%d", port))
		return err
	})
	server := &http.Server{Handler: answer, ReadHeaderTimeout: patience}
	t.Cleanup(func() { _ = server.Close() })
	go func() { _ = server.Serve(listener) }()
}

func describing(service, control string) string {
	return `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceType>` + deviceOne + `</deviceType><serviceList><service>` +
		`<serviceType>` + service + `</serviceType><controlURL>` + control + `</controlURL></service></serviceList></device></root>`
}

const wanIP = "urn:schemas-upnp-org:service:WANIPConnection:1"

func TestMapperOutlivesARudeGateway(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	text := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
	}
	// described describes a device properly, and then answers what it is asked.
	described := func(answer http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				text(describing(wanIP, "/control"))(w, r)
				return
			}
			answer(w, r)
		}
	}
	const here = "http://" + upnptest.GatewayAddress + ":5000/desc.xml"
	for name, test := range map[string]struct {
		location string
		answer   http.HandlerFunc
		says     string
	}{
		"description elsewhere":   {"http://" + upnptest.NodeAddress + ":5000/desc.xml", text(""), "not the gateway's own address"},
		"description by name":     {"http://localhost/desc.xml", text(""), "not the gateway's own address"},
		"description in a file":   {"file:///etc/passwd", text(""), "not the gateway's own address"},
		"no URL":                  {"://", text(""), "missing protocol scheme"},
		"redirected":              {here, http.RedirectHandler("http://"+upnptest.NodeAddress+":6443/", http.StatusFound).ServeHTTP, "HTTP status 302"},
		"no description":          {here, http.NotFound, "HTTP status 404"},
		"garbage for description": {here, text("<root><<<"), "XML syntax error"},
		"nothing":                 {here, text(""), "EOF"},
		"another device":          {here, text(describing("urn:schemas-upnp-org:service:ContentDirectory:1", "/")), "no service that maps ports"},
		"a long description":      {here, text(strings.Repeat("<root>", 1<<20)), "the answer is too long"},
		"hangs":                   {here, hang, "exceeded"},
		"control elsewhere":       {here, text(describing(wanIP, "http://"+upnptest.NodeAddress+":6443/")), "not the gateway's own address"},
		"garbage for an answer":   {here, described(text("\x00garbage")), "error decoding response body"},
		"a long answer":           {here, described(text(`<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>` + strings.Repeat("x", 1<<20))), "the answer is too long"},
		"a hanging answer":        {here, described(hang), "exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			h := upnptest.New(t)
			pose(t, h, test.location)
			serve(t, h, 5000, test.answer)
			m := hold(t)
			web := ofService(80, TCP)
			m.Set([]Want{web}, nil)
			status := m.awaitState(t, web.Rule, NoGateway)
			if !strings.Contains(status.Problem, test.says) {
				t.Errorf("problem %q, want %q in it", status.Problem, test.says)
			}
			if len(status.Problem) > 1024 {
				t.Errorf("a problem of %d bytes", len(status.Problem))
			}
			start := time.Now()
			m.stop()
			if took := time.Since(start); took > time.Second {
				t.Errorf("it took %v to stop", took)
			}
		})
	}
}

// A pinhole for one's own address is what miniupnpd grants.
func TestPinhole(t *testing.T) {
	h := upnptest.New(t)
	h.Start(t, allowAll)
	address := netip.MustParseAddr("2001:db8::1")
	var gateway *Gateway
	eventually(t, func() (err error) {
		gateway, err = describe(t.Context(), address, "http://[2001:db8::1]:5000/rootDesc.xml")
		return err
	})
	want := pinhole("2001:db8::21", 8080)
	for range 2 { // a new one, and the same one for longer
		if lease, err := gateway.Map(t.Context(), want); err != nil || lease != want.Lease {
			t.Fatal(lease, err)
		}
	}
	if there, err := gateway.Opened(t.Context(), want.Rule); err != nil || !there {
		t.Error(there, err)
	}
	if err := gateway.Unmap(t.Context(), want.Rule); err != nil {
		t.Error(err)
	}
	if there, err := gateway.Opened(t.Context(), want.Rule); err != nil || there {
		t.Error(there, err)
	}
}

// eventually polls what nobody tells of.
func eventually(t *testing.T, try func() error) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); ; <-ticker.C {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func FuzzParse(f *testing.F) {
	at, _ := url.Parse("http://192.0.2.1:5000/desc.xml")
	for _, text := range []string{
		"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNTS: ssdp:alive\r\nBOOTID.UPNP.ORG: 1\r\n\r\n",
		"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNTS: ssdp:byebye\r\n\r\n",
		"HTTP/1.1 200 OK\r\nST: " + deviceTwo + "\r\nLOCATION: http://192.0.2.1/\r\nEXT:\r\n\r\n",
		describing(wanIP, "/control"),
		strings.Repeat("<device><deviceList>", 3000),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if n, ok := parseNotice(text); ok && len(n.boot) > 32 {
			t.Error("a long boot number")
		}
		if a, ok := parseAnswer(text); ok && (a.location == "" || len(a.boot) > 32) {
			t.Errorf("answer %+v", a)
		}
		if root, err := parse(bytes.NewReader(text), at); err == nil {
			new(Gateway).connect(root, at, httpClient(netip.MustParseAddr("192.0.2.1")))
		}
	})
}
