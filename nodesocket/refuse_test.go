package nodesocket

import (
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/heraldlb/herald/announcer"
)

func TestServerRefuses(t *testing.T) {
	all := candidacies(2)
	snapshot := message{Kind: kindSnapshot, Candidacies: all[:1]}
	tests := map[string][]message{
		"no hello":           {snapshot},
		"an announcer":       {{Kind: kindHello, Version: Version, Role: roleAnnouncer}},
		"no role":            {{Kind: kindHello, Version: Version}},
		"another version":    {{Kind: kindHello, Version: Version + 1, Role: roleAgent}, snapshot},
		"put before":         {agentHello, {Kind: kindPut, Candidacies: all[1:]}},
		"put within":         {agentHello, {Kind: kindSnapshot, More: true}, {Kind: kindPut, Candidacies: all[1:]}},
		"two snapshots":      {agentHello, snapshot, {Kind: kindSnapshot, Candidacies: all[1:]}},
		"unknown kind":       {agentHello, snapshot, {Kind: "reboot"}},
		"no facts":           {agentHello, {Kind: kindFacts}},
		"invalid facts":      {agentHello, {Kind: kindFacts, Facts: &announcer.Facts{Peers: make([]netip.Addr, 1)}}},
		"a view":             {agentHello, snapshot, {Kind: kindView, View: &announcer.View{}}},
		"a status":           {agentHello, snapshot, {Kind: kindStatus}},
		"invalid in a put":   {agentHello, snapshot, {Kind: kindPut, Candidacies: make([]announcer.Candidacy, 1)}},
		"invalid in the set": {agentHello, {Kind: kindSnapshot, Candidacies: make([]announcer.Candidacy, 1)}},
	}
	for name, messages := range tests {
		t.Run(name, func(t *testing.T) {
			path, wire := socketPath(t), newRecorder()
			startServer(t, path, Backend{Sink: wire})
			l := rawAgent(t, path)
			for _, m := range messages {
				_ = l.send(&m) // the server may be gone after any of them
			}
			awaitEnd(t, l)
			wire.await(t, "nothing of it", func(w wireLog) bool { return !w.announced[all[1].Address].Address.IsValid() })
			// The next one is served.
			client, _ := startClient(t, path, newWatcher())
			put(t, client, all...)
			client.Synced()
			wire.awaitAnnounced(t, all...)
		})
	}
}

func TestServerSurvivesGarbage(t *testing.T) {
	path, wire, all := socketPath(t), newRecorder(), candidacies(2)
	startServer(t, path, Backend{Sink: wire})
	client, _ := startClient(t, path, newWatcher())
	put(t, client, all...)
	client.Synced()
	wire.awaitAnnounced(t, all...)
	for _, garbage := range [][]byte{
		[]byte("GET / HTTP/1.1\r\n\r\n"),
		{0, 0, 0, 0},
		{0xff, 0xff, 0xff, 0xff},
		frame("\x00\x01"),
		frame(`{"kind":"hello","version":2,"role":"agent"}`)[:20],
	} {
		l := rawAgent(t, path)
		if _, err := l.conn.Write(garbage); err != nil {
			t.Fatal(err)
		}
		if err := l.conn.(*net.UnixConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		awaitEnd(t, l)
	}
	if !client.Connected() {
		t.Error("the agent lost its connection to a stranger's garbage")
	}
	put(t, client, announcer.Candidacy{Announcement: announcer.Announcement{Address: all[0].Address, Interface: "eth9"}})
	wire.await(t, "the agent's next word", func(w wireLog) bool { return w.announced[all[0].Address].Interface == "eth9" })
}

func TestBothSidesNameTheVersions(t *testing.T) {
	path := socketPath(t)
	startServer(t, path, Backend{Sink: discard{}})
	l := rawAgent(t, path)
	say(t, l, message{Kind: kindHello, Version: 7, Role: roleAgent})
	if m, err := l.receive(patience); err != nil || m.Version != Version {
		t.Errorf("the server says %+v, %v; want its version before it hangs up", m, err)
	}
	awaitEnd(t, l)

	path = socketPath(t)
	listener, err := listen(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		_ = newLink(conn, quick).send(&message{Kind: kindHello, Version: 7, Role: roleAnnouncer})
	}()
	client := NewClient(path, newWatcher(), quietLog())
	greeted, err := client.connect(t.Context())
	version, ok := errors.AsType[*VersionError](err)
	if !ok || *version != (VersionError{Ours: Version, Theirs: 7}) || greeted || client.Connected() {
		t.Errorf("the client got %v, greeted %v; want both versions named", err, greeted)
	}
}
