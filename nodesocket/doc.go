// Package nodesocket is the protocol between the two processes of a node: the
// agent, which knows Kubernetes, and the announcer, which speaks on the wire.
//
// # Conversation
//
// The announcer listens on a Unix stream socket, since it outlives the agent;
// the agent dials, and dials again. Both begin with a hello that carries the
// protocol version. Then the agent sends the facts that it knows of the node and
// the cluster, and a snapshot of all its candidacies, in as many frames as it
// takes, and differences after them. The announcer sends the state of every
// address, differences after it, its samples and its view of the other
// announcers at every beat, the view also on a change. A side that is silent for several beats counts as hung, and the
// connection is given up: the agent dials anew, and the announcer goes on with
// what it was last told. A snapshot that breaks off changes nothing.
//
// Neither side waits for the other. What there is to say is kept as the newest
// value of each address, so a slow reader costs memory bounded by the number of
// addresses, and a reader that does not read costs its connection.
//
// # Frames
//
// A frame is a length (4 bytes, big-endian, at most MaxFrame) and a JSON body.
// What does not fit into one goes on in the next, of the same kind.
//
// # Who may connect
//
// The socket has mode 0660 and the group of its directory. In a Pod that is
// securityContext.fsGroup: the kubelet gives an emptyDir that group and the
// setgid bit, so that the socket of an announcer with no CAP_CHOWN admits an
// agent that is not root. Only the containers that mount the emptyDir reach
// it; a directory that Listen has to make itself admits its own user alone.
package nodesocket
