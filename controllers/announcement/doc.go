// Package announcement is the agent's reconciler: on every node, for itself, it
// turns Services, EndpointSlices, Nodes and the pool ConfigMap into the
// addresses that its node announces, and tells its announcer. It elects no
// leader and asks no other node: each comes to the same decision from the same
// facts (package election).
//
// Work is keyed by address. A change of anything is folded into the addresses
// that it touches, and what an address should be is computed anew:
//
//	events ─► reconciler ─► election ─► nodesocket.Client ─► announcer
//	              │                                              │
//	              └────────► ledger ◄────────────────────────────┘
//	                           │
//	                        reporter ─► condition and event on the Service
//
// The API server being away changes nothing: the caches stand, and so do the
// announcements. A restart changes nothing either: the announcer is told a
// snapshot only after the first full pass, and the conditions remember what was
// reported.
package announcement
