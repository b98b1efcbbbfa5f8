// Package announcement is the agent's reconciler: on every node, for itself, it
// turns Services, EndpointSlices, Nodes and the pool ConfigMap into what its
// announcer has to know: every address that a Service holds, whether this node
// may own it, and which others may. Who does own it is settled between the
// announcers, without an agent or an API server.
//
// Work is keyed by address. A change of anything is folded into the addresses
// that it touches, and what is to be said of an address is computed anew:
//
//	events ─► reconciler ─► nodesocket.Client ─► announcer
//	              │                                  │
//	              └─────────► ledger ◄───────────────┘
//	                            │
//	                         reporter ─► condition and event on the Service
//
// The node that owns an address reports on it. Of an address that nobody owns one
// node reports, after a while, and of one that a condition says is still this node's own,
// the node that is named: see witness.
//
// The API server being away changes nothing: the caches stand, and so does what
// the announcer was told. A restart changes nothing either: the announcer is told
// a snapshot only after the first full pass, and the conditions remember what was
// reported.
package announcement
