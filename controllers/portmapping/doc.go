// Package portmapping has the home gateway forward the ports of Services that ask for it
// to their addresses. It runs in the agent of every node, and asks for those addresses
// that the node answers for:
//
//	Services, owners ─► plan (pure) ─► upnp.Mapper ─► gateway
//	                                       │
//	                                    reporter ─► annotation, event
//
// A mapping leads to the Service's address, and not to a node. So when the address moves,
// the mapping stays as it is; the new owner renews it, and the old one forgets it. It is
// removed by the owner when the Service, its address, or its annotation is gone, and by
// an agent that ends while nobody takes its addresses over.
//
// While no Service asks for it, nothing is sent or heard.
package portmapping
