package scene

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// hardware finds link-layer addresses in what programs print.
var hardware = regexp.MustCompile(`(?i)\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b`)

// Responders asks on the segment, from the client, who has an address, and
// returns the nodes that answer: with arping, or with ndisc6.
func (st *Stage) Responders(ctx context.Context, address netip.Addr) ([]string, error) {
	// Both wait for further answers after the first.
	args := []string{"arping", "-b", "-w", "1", "-I", st.Interface, address.String()}
	if address.Is6() {
		args = []string{"ndisc6", "-m", "-q", "-r", "1", "-w", "300", address.String(), st.Interface}
	}
	output, err := st.run(ctx, st.Client, args...)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) { // they exit non-zero when nobody answers
		return nil, err
	}
	nodes := []string{}
	for _, mac := range hardware.FindAllString(string(output), -1) {
		node, err := st.nodeOf(mac)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(nodes, node) {
			nodes = append(nodes, node)
		}
	}
	return nodes, nil
}

// Neighbours returns the nodes that the client's kernel sends packets to, by
// the address that they are for.
func (st *Stage) Neighbours(ctx context.Context) (map[netip.Addr]string, error) {
	output, err := st.run(ctx, st.Client, "ip", "-json", "neighbour", "show", "dev", st.Interface)
	if err != nil {
		return nil, err
	}
	var entries []struct {
		Address netip.Addr `json:"dst"`
		MAC     string     `json:"lladdr"`
	}
	if err := json.Unmarshal(output, &entries); err != nil {
		return nil, fmt.Errorf("neighbours of the client: %w", err)
	}
	neighbours := map[netip.Addr]string{}
	for _, entry := range entries {
		if node, err := st.nodeOf(entry.MAC); err == nil { // the router is one too
			neighbours[entry.Address] = node
		}
	}
	return neighbours, nil
}

// Neighbour returns the node that the client's kernel sends an address's
// packets to.
func (st *Stage) Neighbour(ctx context.Context, address netip.Addr) (string, error) {
	neighbours, err := st.Neighbours(ctx)
	if err != nil {
		return "", err
	}
	node, ok := neighbours[address]
	if !ok {
		return "", fmt.Errorf("the client has no neighbour %s", address)
	}
	return node, nil
}

// Forget drops what the client's kernel knows of its neighbours, so that it
// has to ask again.
func (st *Stage) Forget(ctx context.Context) {
	GinkgoHelper()
	_, err := st.run(ctx, st.Client, "ip", "neighbour", "flush", "dev", st.Interface)
	Expect(err).NotTo(HaveOccurred())
}

// nodeOf returns the node with that link-layer address.
func (st *Stage) nodeOf(mac string) (string, error) {
	node, ok := st.nodes[strings.ToLower(mac)]
	if !ok {
		return "", fmt.Errorf("%s is no node's link-layer address", mac)
	}
	return node, nil
}

// Announcer returns the node that a Service's condition says answers for the
// address.
func Announcer(service *corev1.Service, address netip.Addr) (string, error) {
	kind := "heraldlb.io/AnnouncedIPv4"
	if address.Is6() {
		kind = "heraldlb.io/AnnouncedIPv6"
	}
	condition := meta.FindStatusCondition(service.Status.Conditions, kind)
	if condition == nil {
		return "", fmt.Errorf("the Service %s has no condition %s", service.Name, kind)
	}
	node, rest, found := strings.Cut(condition.Message, " answers for ")
	if condition.Status != metav1.ConditionTrue || !found || !strings.HasPrefix(rest, address.String()+" ") {
		return "", fmt.Errorf("condition %s is %s: %s", kind, condition.Status, condition.Message)
	}
	return node, nil
}

// Unannounced waits until a Service's condition gives the reason why nobody
// answers for its address of a family, and returns the condition's message.
func (s *Scene) Unannounced(ctx context.Context, name, family, reason string) string {
	GinkgoHelper()
	var message string
	Eventually(func(g Gomega) {
		service, err := s.Service(ctx, name)
		g.Expect(err).NotTo(HaveOccurred())
		condition := meta.FindStatusCondition(service.Status.Conditions, "heraldlb.io/Announced"+family)
		g.Expect(condition).NotTo(BeNil())
		g.Expect(condition.Reason).To(Equal(reason), condition.Message)
		g.Expect(condition.Status).To(Equal(metav1.ConditionFalse))
		message = condition.Message
	}).WithContext(ctx).Should(Succeed())
	return message
}

// Owner waits until everybody agrees on which node answers for an address of a
// Service, and returns it: the Service's condition, everyone who answers on
// the segment, and the client's neighbour table. The client has to have talked
// to the address.
func (s *Scene) Owner(ctx context.Context, name string, address netip.Addr) string {
	GinkgoHelper()
	var owner string
	Eventually(func(g Gomega) {
		service, err := s.Service(ctx, name)
		g.Expect(err).NotTo(HaveOccurred())
		owner, err = Announcer(service, address)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(s.Neighbour(ctx, address)).To(Equal(owner), "the client's neighbour table")
		g.Expect(s.Responders(ctx, address)).To(Equal([]string{owner}), "who answers on the segment")
	}).WithContext(ctx).Should(Succeed())
	return owner
}

// Silence waits until nobody on the segment answers for the addresses.
func (st *Stage) Silence(ctx context.Context, addresses ...netip.Addr) {
	GinkgoHelper()
	for _, address := range addresses {
		Eventually(st.Responders).WithContext(ctx).WithArguments(address).Should(BeEmpty(), "who answers for %s", address)
	}
}
