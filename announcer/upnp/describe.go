package upnp

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/huin/goupnp"
	"github.com/huin/goupnp/dcps/internetgateway2"
)

// What is taken from a gateway at most, and how long it may take.
const (
	maxBody     = 64 << 10
	maxHeader   = 16 << 10
	callTimeout = 5 * time.Second
)

var (
	errElsewhere = errors.New("not the gateway's own address")
	errNoService = errors.New("no service that maps ports")
	errTooLong   = errors.New("the answer is too long")
)

// describe reads the description of the gateway at an address from there, and returns
// the gateway.
func describe(ctx context.Context, address netip.Addr, location string) (*Gateway, error) {
	at, err := url.Parse(location)
	if err != nil {
		return nil, fmt.Errorf("location of the description: %w", err)
	}
	// Asked before, so that the error says what is wrong. The client sees to it.
	if host, err := netip.ParseAddr(at.Hostname()); err != nil || host.Unmap() != address || at.Scheme != "http" {
		return nil, fmt.Errorf("location of the description %q: %w", printable(location), errElsewhere)
	}
	client := httpClient(address)
	root, err := fetch(ctx, client, at)
	if err != nil {
		return nil, fmt.Errorf("description at %s: %w", at, err)
	}
	gateway := &Gateway{Address: address, pinholes: make(map[Rule]uint16)}
	gateway.connect(root, at, client)
	if gateway.connection == nil && gateway.firewall == nil {
		return nil, fmt.Errorf("description at %s: %w", at, errNoService)
	}
	return gateway, nil
}

// connect picks the services to ask by: the newest first.
func (g *Gateway) connect(root *goupnp.RootDevice, at *url.URL, client http.Client) {
	var service *goupnp.ServiceClient
	if found, err := internetgateway2.NewWANIPConnection2ClientsFromRootDevice(root, at); err == nil && len(found) > 0 {
		g.connection, service = found[0], &found[0].ServiceClient
	} else if found, err := internetgateway2.NewWANIPConnection1ClientsFromRootDevice(root, at); err == nil && len(found) > 0 {
		g.connection, service = found[0], &found[0].ServiceClient
	} else if found, err := internetgateway2.NewWANPPPConnection1ClientsFromRootDevice(root, at); err == nil && len(found) > 0 {
		g.connection, service = found[0], &found[0].ServiceClient
	}
	if service != nil {
		service.SOAPClient.HTTPClient = client
		g.Kind = service.Service.ServiceType
	}
	if found, err := internetgateway2.NewWANIPv6FirewallControl1ClientsFromRootDevice(root, at); err == nil && len(found) > 0 {
		g.firewall = found[0]
		g.firewall.SOAPClient.HTTPClient = client
		if g.Kind == "" {
			g.Kind = g.firewall.Service.ServiceType
		}
	}
}

func fetch(ctx context.Context, client http.Client, at *url.URL) (*goupnp.RootDevice, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("HTTP status %d", response.StatusCode)
	}
	return parse(response.Body, at)
}

// parse reads a description that was got at a URL.
func parse(text io.Reader, at *url.URL) (*goupnp.RootDevice, error) {
	root := new(goupnp.RootDevice)
	decoder := xml.NewDecoder(text)
	decoder.DefaultSpace = goupnp.DeviceXMLNamespace
	if err := decoder.Decode(root); err != nil {
		return nil, err
	}
	base := at
	if root.URLBaseStr != "" {
		var err error
		if base, err = url.Parse(root.URLBaseStr); err != nil {
			return nil, fmt.Errorf("URLBase: %w", err)
		}
	}
	root.SetURLBase(base)
	return root, nil
}

// httpClient returns one that reaches a single host, follows no redirection, and takes
// no more than it can bear.
func httpClient(address netip.Addr) http.Client {
	var dialer net.Dialer
	return http.Client{
		Timeout: callTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
		Transport: bounded{&http.Transport{
			DialContext: func(ctx context.Context, network, target string) (net.Conn, error) {
				if to, err := netip.ParseAddrPort(target); err != nil || to.Addr().Unmap() != address {
					return nil, fmt.Errorf("connect to %q: %w", printable(target), errElsewhere)
				}
				return dialer.DialContext(ctx, network, target)
			},
			// Many gateways do not do it well, and they are asked seldom.
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxHeader,
		}},
	}
}

// bounded fails to read answers that are too long.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := b.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	response.Body = &boundedBody{ReadCloser: response.Body, left: maxBody}
	return response, nil
}

type boundedBody struct {
	io.ReadCloser
	left int
}

// Read implements io.Reader.
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
