package bgp

import (
	"fmt"
	"net/netip"
	"time"

	packet "github.com/osrg/gobgp/v4/pkg/packet/bgp"
)

// families are those of every session.
var families = [...]packet.Family{packet.RF_IPv4_UC, packet.RF_IPv6_UC} //nolint:gochecknoglobals // constant

// maxRestartTime is what the capability has room for (RFC 4724 section 3).
const maxRestartTime = 4095 * time.Second

// open is the OPEN that a router is sent. Restarting says that it may hold routes of a
// former process: those are to stay until the End-of-RIB.
func open(peer Peer, restarting bool) ([]byte, error) {
	capabilities := []packet.ParameterCapabilityInterface{
		packet.NewCapRouteRefresh(),
		packet.NewCapFourOctetASNumber(peer.LocalASN),
		// RFC 8950: IPv4 by IPv6 next hops.
		packet.NewCapExtendedNexthop([]*packet.CapExtendedNexthopTuple{
			packet.NewCapExtendedNexthopTuple(packet.RF_IPv4_UC, packet.AFI_IP6),
		}),
	}
	restart := make([]*packet.CapGracefulRestartTuple, 0, len(families))
	for _, family := range families {
		capabilities = append(capabilities, packet.NewCapMultiProtocol(family))
		// The F bit is always true: the kernel forwards, whoever speaks BGP.
		restart = append(restart, packet.NewCapGracefulRestartTuple(family, true))
	}
	if peer.GracefulRestart > 0 {
		seconds := uint16(min(peer.GracefulRestart, maxRestartTime) / time.Second) //nolint:gosec // in range
		capabilities = append(capabilities, packet.NewCapGracefulRestart(restarting, false, seconds, restart))
	}
	as := uint16(packet.AS_TRANS)
	if peer.LocalASN <= 1<<16-1 {
		as = uint16(peer.LocalASN) //nolint:gosec // in range
	}
	m, err := packet.NewBGPOpenMessage(as, uint16(peer.HoldTime/time.Second), peer.RouterID, //nolint:gosec // config has it in range
		[]packet.OptionParameterInterface{packet.NewOptionParameterCapability(capabilities)})
	if err != nil {
		return nil, err
	}
	return m.Serialize()
}

// router is what a router says of itself in its OPEN.
type router struct {
	asn uint32
	id  netip.Addr
	// hold is the session's hold time: the smaller of both (RFC 4271 section 4.2); 0: none.
	hold time.Duration
	// v4 and v6 are the families it takes, extended that it takes IPv4 by IPv6 next hops.
	v4, v6, extended bool
	// wide: its AS numbers have four octets.
	wide bool
	// graceful: it knows of End-of-RIB.
	graceful bool
}

// meet reads a router's OPEN. What is refused of it is a *refused (RFC 4271 section 6.2).
func meet(peer Peer, m message) (r router, err error) {
	// The parser has been made to panic before. A router's bytes end its session at most.
	defer func() {
		if recover() != nil {
			err = refuse(packet.BGP_ERROR_OPEN_MESSAGE_ERROR, 0, nil, "malformed")
		}
	}()
	header := &packet.BGPHeader{Type: m.kind, Len: uint16(packet.BGP_HEADER_LENGTH + len(m.body))} //nolint:gosec // at most 4096
	parsed, err := packet.ParseBGPBody(header, m.body)
	if err != nil {
		return router{}, malformed(err)
	}
	said, ok := parsed.Body.(*packet.BGPOpen)
	if !ok {
		return router{}, refuse(packet.BGP_ERROR_FSM_ERROR, packet.BGP_ERROR_SUB_RECEIVE_UNEXPECTED_MESSAGE_IN_OPENSENT_STATE, nil, "")
	}
	r = router{asn: uint32(said.MyAS), id: said.ID, hold: min(peer.HoldTime, time.Duration(said.HoldTime)*time.Second)}
	multiprotocol := false
	for _, parameter := range said.OptParams {
		if list, ok := parameter.(*packet.OptionParameterCapability); ok {
			for _, capability := range list.Capability {
				multiprotocol = r.note(capability) || multiprotocol
			}
		}
	}
	if !multiprotocol {
		r.v4 = true
	}
	return r, r.acceptable(peer, said)
}

func malformed(err error) error {
	fault, ok := err.(*packet.MessageError) //nolint:errorlint // what the parser returns
	if !ok || fault.TypeCode != packet.BGP_ERROR_OPEN_MESSAGE_ERROR {
		return refuse(packet.BGP_ERROR_OPEN_MESSAGE_ERROR, 0, nil, "malformed")
	}
	return refuse(fault.TypeCode, fault.SubTypeCode, nil, fault.Message)
}

// note takes down a capability, and says whether it is one of multiprotocol BGP.
func (r *router) note(capability packet.ParameterCapabilityInterface) bool {
	switch c := capability.(type) {
	case *packet.CapMultiProtocol:
		r.v4 = r.v4 || c.CapValue == packet.RF_IPv4_UC
		r.v6 = r.v6 || c.CapValue == packet.RF_IPv6_UC
		return true
	case *packet.CapFourOctetASNumber:
		r.asn, r.wide = c.CapValue, true
	case *packet.CapExtendedNexthop:
		for _, t := range c.Tuples {
			r.extended = r.extended || t.NLRIAFI == packet.AFI_IP && t.NLRISAFI == uint16(packet.SAFI_UNICAST) && t.NexthopAFI == packet.AFI_IP6
		}
	case *packet.CapGracefulRestart:
		r.graceful = true
	}
	return false
}

// acceptable says what about a router is not (RFC 4271 section 6.2, RFC 6286).
func (r *router) acceptable(peer Peer, said *packet.BGPOpen) error {
	const code = packet.BGP_ERROR_OPEN_MESSAGE_ERROR
	switch {
	case said.Version != 4:
		return refuse(code, packet.BGP_ERROR_SUB_UNSUPPORTED_VERSION_NUMBER, []byte{0, 4}, fmt.Sprintf("version %d", said.Version))
	case r.asn != peer.ASN:
		return refuse(code, packet.BGP_ERROR_SUB_BAD_PEER_AS, nil, fmt.Sprintf("expected %d, the router's is %d", peer.ASN, r.asn))
	case r.id.IsUnspecified(), r.id == peer.RouterID && peer.ASN == peer.LocalASN:
		return refuse(code, packet.BGP_ERROR_SUB_BAD_BGP_IDENTIFIER, nil, r.id.String())
	case said.HoldTime == 1 || said.HoldTime == 2:
		return refuse(code, packet.BGP_ERROR_SUB_UNACCEPTABLE_HOLD_TIME, nil, fmt.Sprintf("%d s", said.HoldTime))
	default:
		return nil
	}
}
