package main

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/heraldlb/herald/controlplane/address"
	"github.com/heraldlb/herald/controlplane/health"
	"github.com/heraldlb/herald/controlplane/name"
	"github.com/heraldlb/herald/membership/wire"
)

// What differs with --controlplane, so that a node can run both announcers.
const (
	controlPlaneSocket = "/run/herald/controlplane.sock"
	controlPlanePort   = wire.Port + 1
)

// The electors.
const (
	electorHeartbeat = "heartbeat"
	electorRaft      = "raft"
	electorLease     = "lease"
	electorBGP       = "bgp"
)

// loopback is where the VIP goes with electorBGP.
const loopback = "lo"

type controlPlaneFlags struct {
	enabled bool
	vips    []string
	lookUp  time.Duration
	on      string
	port    uint16
	elector string
	health  health.Flags

	balance  bool
	lbPort   uint16
	backends []string
}

func (f *controlPlaneFlags) register(set *pflag.FlagSet) {
	set.BoolVar(&f.enabled, "controlplane", false, "hold the control plane's address, and announce no Services")
	set.StringSliceVar(&f.vips, "vip", nil, "with --controlplane: the address, one of each family, or a DNS name for it")
	set.DurationVar(&f.lookUp, "vip-lookup-period", name.DefaultPeriod, "with a DNS name as --vip: time between two look-ups")
	set.StringVar(&f.on, "interface", "", "with --controlplane: the interface that the VIP goes on; else the one whose subnet holds it, or that of the default route")
	set.Uint16Var(&f.port, "port", 6443, "with --controlplane: the API server's port")
	set.StringVar(&f.elector, "elector", electorHeartbeat, "with --controlplane: who chooses its holder: heartbeat, or raft or lease, which herald controlplane runs; bgp: every node has it, on lo, and herald controlplane or herald agent tells routers")
	f.health.Register(set)
	set.BoolVar(&f.balance, "lb", false, "with --controlplane: the holder shares the connections out to all healthy API servers")
	set.Uint16Var(&f.lbPort, "lb-port", 0, "with --lb: port at the VIP (default: as --port)")
	set.StringSliceVar(&f.backends, "lb-backend", nil, "with --lb: an API server, ADDRESS or ADDRESS:PORT; repeatable. Else as herald controlplane tells")
}

// setDefaults fills in what has another default with --controlplane.
func (f *flags) setDefaults(set *pflag.FlagSet) {
	if !f.controlPlane.enabled {
		return
	}
	if !set.Changed("socket") {
		f.socket = controlPlaneSocket
	}
	if !set.Changed("heartbeat-port") {
		f.port = controlPlanePort
	}
}

// vip is what --vip says: addresses, or a name.
type vip struct {
	addresses []netip.Addr
	name      string
}

// parseVIP returns an error that names the culprit.
func (f *controlPlaneFlags) parseVIP() (v vip, err error) {
	v.addresses, v.name, err = address.ParseVIPs(f.vips)
	switch {
	case err != nil:
		return v, fmt.Errorf("--vip %w", err)
	case v.name == "" && len(v.addresses) == 0:
		return v, errors.New("--controlplane needs --vip: the address of the control plane")
	}
	return v, nil
}

// String names the VIP, for the cluster's name.
func (v vip) String() string {
	if v.name != "" {
		return v.name
	}
	texts := make([]string, 0, len(v.addresses))
	for _, addr := range v.addresses {
		texts = append(texts, addr.String())
	}
	return strings.Join(texts, ",")
}

// check returns an error that names a flag.
func (f *controlPlaneFlags) check() error {
	switch {
	case f.lookUp < time.Second:
		return fmt.Errorf("--vip-lookup-period %s: at least 1s", f.lookUp)
	case f.port == 0:
		return errors.New("--port 0: no port")
	case !slices.Contains([]string{electorHeartbeat, electorRaft, electorLease, electorBGP}, f.elector):
		return fmt.Errorf("--elector %q: heartbeat, raft, lease or bgp", f.elector)
	case f.elector == electorBGP && f.on != "" && f.on != loopback:
		return fmt.Errorf("--interface %s: with --elector bgp the VIP goes on %s", f.on, loopback)
	case f.elector == electorBGP && f.balance:
		return errors.New("--lb: with --elector bgp routers share the connections out")
	case !f.balance && len(f.backends) > 0:
		return errors.New("--lb-backend goes with --lb")
	case !f.balance && f.lbPort != 0:
		return errors.New("--lb-port goes with --lb")
	}
	return f.health.Check()
}

// frontend is the port that clients of the VIP use.
func (f *controlPlaneFlags) frontend() uint16 {
	if f.balance && f.lbPort != 0 {
		return f.lbPort
	}
	return f.port
}

// staticBackends returns what --lb-backend names.
func (f *controlPlaneFlags) staticBackends() (all []netip.AddrPort, err error) {
	for _, text := range f.backends {
		backend, err := netip.ParseAddrPort(text)
		if addr, bare := netip.ParseAddr(text); bare == nil {
			backend, err = netip.AddrPortFrom(addr, f.port), nil
		}
		if err != nil || !address.Usable(backend.Addr()) || backend.Port() == 0 {
			return nil, fmt.Errorf("--lb-backend %q: ADDRESS or ADDRESS:PORT", text)
		}
		all = append(all, backend)
	}
	return all, nil
}
