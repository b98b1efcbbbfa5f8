package ipam

import (
	"fmt"
	"slices"
)

// check returns what is wrong with the request in itself.
func (r *Request) check() *Error {
	for _, check := range []func() *Error{r.checkFamilies, r.checkPorts, r.checkAddresses} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (r *Request) checkFamilies() *Error {
	for i, family := range r.Families {
		switch {
		case family != IPv4 && family != IPv6:
			return invalid(Error{}, "%s is no IP family", family)
		case slices.Contains(r.Families[:i], family):
			return invalid(Error{Family: family}, "%s is wanted twice", family)
		}
	}
	switch wanted := len(r.Families); {
	case wanted == 0:
		return invalid(Error{}, "no IP family is wanted")
	case r.Required < 0 || r.Required > wanted:
		return invalid(Error{}, "%d of %d IP families are required", r.Required, wanted)
	}
	return nil
}

func (r *Request) checkPorts() *Error {
	for _, p := range r.Ports {
		if _, known := protocolNumber(p.Protocol); !known {
			return invalid(Error{Port: p}, "port %s: the protocol is none of TCP, UDP, SCTP", p)
		}
	}
	return nil
}

func (r *Request) checkAddresses() *Error {
	for i, address := range r.Addresses {
		if !address.IsValid() || address.Zone() != "" || address.Is4In6() {
			return invalid(Error{Address: address}, "%s is not a plain IPv4 or IPv6 address", address)
		}
		family := familyOf(address)
		culprit := Error{Address: address, Family: family}
		if !slices.Contains(r.Families, family) {
			return invalid(culprit, "%s is requested but %s is not wanted", address, family)
		}
		for _, other := range r.Addresses[:i] {
			if familyOf(other) == family {
				return invalid(culprit, "%s and %s are both requested; one %s address is given", other, address, family)
			}
		}
	}
	return nil
}

// invalid completes an error that names the culprit.
func invalid(e Error, format string, arguments ...any) *Error {
	e.Reason, e.Detail = Invalid, fmt.Sprintf(format, arguments...)
	return &e
}
