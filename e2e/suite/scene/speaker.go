package scene

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// Speaker is a router with bad manners.
type Speaker struct {
	// Address is where it is asked, at SpeakerPort.
	Address netip.Addr

	mu   sync.Mutex
	said []string
}

// Speaker starts a router with bad manners, of those that the probe program has, on the
// router until the case ends, beside the others.
func (st *Stage) Speaker(ctx context.Context, asn uint32, manner string) *Speaker {
	GinkgoHelper()
	s := &Speaker{Address: st.RouterAddress(ctx, 4)}
	cmd := st.Hosts.Command(context.WithoutCancel(ctx), st.Router, st.Probe, "bgp",
		netip.AddrPortFrom(s.Address, SpeakerPort).String(), fmt.Sprint(asn), manner)
	cmd.Stderr = GinkgoWriter
	output, err := cmd.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(cmd.Start()).To(Succeed())
	DeferCleanup(func() {
		Expect(cmd.Process.Kill()).To(Succeed())
		Expect(cmd.Wait()).To(BeAssignableToTypeOf(&exec.ExitError{}))
	})
	decoder := json.NewDecoder(output)
	var listening string
	Expect(decoder.Decode(&listening)).To(Succeed())
	go s.record(decoder)
	return s
}

// record returns when the program ends.
func (s *Speaker) record(from *json.Decoder) {
	for {
		var line string
		if from.Decode(&line) != nil {
			return
		}
		s.mu.Lock()
		s.said = append(s.said, line)
		s.mu.Unlock()
	}
}

// Met returns what came of each connection that is over.
func (s *Speaker) Met() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.said)
}
