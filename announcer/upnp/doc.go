// Package upnp has a home gateway forward ports to addresses (UPnP Internet Gateway
// Device, versions 1 and 2), and lets them through its firewall where they are IPv6.
// It runs in the agent: see docs/architecture.md.
//
//	Mapper ─► agenda (pure: what is due when) ─► search, ask, check, remove ─► gateway
//
// A Mapper is told the rules that this node answers for, and keeps them in force: it
// finds the gateway, renews leases at half time, and asks anew where a gateway has
// lost its memory. It touches nothing that is not its own. While it has no rules, it
// sends and hears nothing.
//
// Anybody on the segment may pose as a gateway, so only the one that the host routes
// by is believed, and no request goes anywhere else, whatever a description says.
package upnp
