// Package advertisement is the agent's side of BGP: what this node tells which
// router. It is told which addresses this node is to advertise, and keeps the
// speaker at what bgp.yaml makes of them.
//
//	announcement ─► Advertiser ─► plan ─► speaker ─► routers
//	                    ▲  │
//	  Node, Secret, links  └─► events, status, metrics, paths that are watched by BFD
//
// Whatever changes wakes one loop, which plans anew and gives the speaker the whole
// of it: a burst of changes is one plan. The speaker is told nothing until all
// addresses are known, since what a restarted node tells then replaces what its
// routers still keep (RFC 4724). The API server being away changes nothing.
package advertisement
