// Package metallb turns MetalLB's custom resources into the data of Herald's pool
// ConfigMap. Convert reads them, strictly, and says of all that Herald has no
// counterpart for what it is, where it stands and why. The package is pure: no clock,
// no I/O.
//
// Read are IPAddressPool, L2Advertisement, BGPPeer (v1beta1 and v1beta2),
// BGPAdvertisement, BFDProfile and Community of the API groups metallb.io and
// metallb.universe.tf, as MetalLB 0.16 has them. Other objects are passed over.
package metallb

import (
	"cmp"
	"fmt"
	"slices"
)

// Place is where something stands in the text.
type Place struct {
	// Line and Column are from 1, the latter in characters.
	Line, Column int
}

func (p Place) compare(other Place) int {
	return cmp.Or(cmp.Compare(p.Line, other.Line), cmp.Compare(p.Column, other.Column))
}

// Fault is why a text cannot be read.
type Fault struct {
	Place
	Reason string
}

// Note is something that the ConfigMap does not say as the resource did.
type Note struct {
	Place
	// LeftOut tells that something is missing; else it is only done in another way.
	LeftOut bool
	// Object is the kind and the name.
	Object string
	// Field is its path below spec, "" for the object as a whole.
	Field string
	// Reason says what has become of it and, where there is one, what does instead.
	Reason string
}

// String returns the note on one line, without its place.
func (n Note) String() string {
	if n.Field == "" {
		return n.Object + ": " + n.Reason
	}
	return fmt.Sprintf("%s: %s: %s", n.Object, n.Field, n.Reason)
}

// Password is an entry that the Secret of BGP passwords has to have.
type Password struct {
	// Key is the one in Herald's Secret.
	Key string
	// Namespace and Secret name the one whose entry "password" it is; without a
	// Secret, it is the password of the BGPPeer Peer.
	Namespace, Secret, Peer string
}

// Conversion is what has become of the resources.
type Conversion struct {
	// Data is the ConfigMap's: config.Parse finds no error in it.
	Data map[string]string
	// Notes are in the order of the text.
	Notes []Note
	// Passwords are sorted by key.
	Passwords []Password
}

// LeftOut tells whether anything of the resources is missing.
func (c *Conversion) LeftOut() bool {
	return slices.ContainsFunc(c.Notes, func(n Note) bool { return n.LeftOut })
}

// Convert converts all resources in a stream of YAML or JSON documents, alone or in
// lists. If a part of it is not to be read, it returns why, and nothing else.
func Convert(text string) (*Conversion, []Fault) {
	r, faults := read(text)
	if len(faults) > 0 {
		return nil, faults
	}
	return r.convert(), nil
}
