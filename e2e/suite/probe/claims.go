package main

import (
	"encoding/json"

	"github.com/heraldlb/herald/e2e/suite/claim"
)

// burst is how many bytes of frames wait to be read: a node's thousand addresses
// move at once.
const burst = 16 << 20

// claims prints the claims on a link until it is killed, after one without
// address that says that it listens.
func claims(link string, to *json.Encoder) error {
	listener, err := claim.Listen(link)
	if err != nil {
		return err
	}
	defer listener.Close() //nolint:errcheck // read only
	if err := listener.Buffer(burst); err != nil {
		return err
	}
	for heard := (claim.Claim{}); ; {
		if err := to.Encode(heard); err != nil {
			return err
		}
		if heard, err = listener.Next(); err != nil {
			return err
		}
	}
}
