package main

import (
	"encoding/json"

	"github.com/heraldlb/herald/e2e/suite/claim"
)

// claims prints the claims on a link until it is killed, after one without
// address that says that it listens.
func claims(link string, to *json.Encoder) error {
	listener, err := claim.Listen(link)
	if err != nil {
		return err
	}
	defer listener.Close() //nolint:errcheck // read only
	for heard := (claim.Claim{}); ; {
		if err := to.Encode(heard); err != nil {
			return err
		}
		if heard, err = listener.Next(); err != nil {
			return err
		}
	}
}
