package loadbalancer

import (
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Advertisement is what one node says of an address that BGP alone announces. Each
// node that may serve the address advertises it; one of them speaks for all.
type Advertisement struct {
	Node string
	// Peers are the routers that it told, none if it could tell none.
	Peers []string
}

// The words of a message around what it says. No name of a node or a peer has a space
// in it.
const (
	advertised    = "advertised by BGP: "
	notAdvertised = "not advertised by BGP: "
	tells         = " tells "
	of            = " of "
	alike         = "; every eligible node does alike"
)

// Message is the message of the condition that a's node told a's peers of addr. more,
// if any, is what else there is to say.
func (a Advertisement) Message(addr netip.Addr, more string) string {
	return advertised + a.Node + tells + strings.Join(a.Peers, between) + of + addr.String() + more + alike
}

// Refusal is that of the condition that a's node told nobody. why begins with a verb
// and names the address.
func (a Advertisement) Refusal(why string) string { return notAdvertised + a.Node + " " + why }

// AdvertisementOf reads from the condition of svc which node spoke of addr, and whom
// it told. It is false if none did.
func AdvertisementOf(svc *corev1.Service, addr netip.Addr) (Advertisement, bool) {
	condition := meta.FindStatusCondition(svc.Status.Conditions, AnnouncedCondition(addr))
	if condition == nil || !Mentions(condition.Message, addr) {
		return Advertisement{}, false
	}
	if rest, refused := strings.CutPrefix(condition.Message, notAdvertised); refused {
		node, _, found := strings.Cut(rest, " ")
		return Advertisement{Node: node}, found && condition.Status != metav1.ConditionTrue
	}
	rest, told := strings.CutPrefix(condition.Message, advertised)
	node, rest, found := strings.Cut(rest, tells)
	peers, _, ends := strings.Cut(rest, of)
	if !told || !found || !ends || condition.Status != metav1.ConditionTrue {
		return Advertisement{}, false
	}
	return Advertisement{Node: node, Peers: strings.Split(peers, between)}, true
}

// Mentions says whether addr is a word of message.
func Mentions(message string, addr netip.Addr) bool {
	return slices.ContainsFunc(strings.Fields(message), func(word string) bool {
		after, found := strings.CutPrefix(word, addr.String())
		return found && (after == "" || after == "," || after == ":" || after == ";") // "2001:db8::" ends in colons itself
	})
}
