package loadbalancer

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Request is what a Service asks for by annotation or field.
type Request struct {
	// Addresses are those asked for, at most one of a family; none means any.
	Addresses []netip.Addr
	// Source is the annotation or field that asks, "" if none does.
	Source string
	// Overruled are the annotations and fields that ask for something else and
	// come after Source in precedence.
	Overruled []string
}

// RequestError is a request that cannot be understood.
type RequestError struct {
	// Source is the annotation or field at fault.
	Source string
	// Value is the part of it at fault.
	Value string
	// Problem says what is wrong with the value.
	Problem string
}

// maxQuoted bounds what is quoted of a faulty value: annotations may be long, a
// condition's message may not.
const maxQuoted = 80

func (e *RequestError) Error() string {
	value, rest := e.Value, ""
	if len(value) > maxQuoted {
		value, rest = strings.ToValidUTF8(value[:maxQuoted], ""), "…"
	}
	return fmt.Sprintf("%s: %q%s %s", e.Source, value, rest, e.Problem)
}

// Requested returns what svc asks for. Of several annotations the first wins, in
// the order: Herald's, kube-vip's, MetalLB's, spec.loadBalancerIP. The error is a
// *RequestError.
func Requested(svc *corev1.Service) (Request, error) {
	var request Request
	for _, asked := range requests(svc) {
		if strings.TrimSpace(asked.value) == "" {
			continue
		}
		addresses, err := parse(asked.source, asked.value, svc.Spec.IPFamilies)
		switch {
		case request.Source != "":
			if err != nil || !slices.Equal(addresses, request.Addresses) {
				request.Overruled = append(request.Overruled, asked.source)
			}
		case err != nil:
			return Request{}, err
		default:
			request.Addresses, request.Source = addresses, asked.source
		}
	}
	return request, nil
}

type asked struct{ source, value string }

// requests lists everything that may ask for an address, first by precedence.
func requests(svc *corev1.Service) []asked {
	var all []asked
	for _, name := range addressNames() {
		all = append(all, asked{name, svc.Annotations[name]})
	}
	return append(all, asked{"spec.loadBalancerIP", svc.Spec.LoadBalancerIP})
}

// parse reads a comma-separated list; the result is sorted.
func parse(source, list string, families []corev1.IPFamily) ([]netip.Addr, error) {
	var addresses []netip.Addr
	for item := range strings.SplitSeq(list, ",") {
		item = strings.TrimSpace(item)
		address, err := netip.ParseAddr(item)
		if err != nil {
			return nil, &RequestError{source, item, "is not an IP address"}
		}
		if problem := unusable(address, addresses, families); problem != "" {
			return nil, &RequestError{source, item, problem}
		}
		addresses = append(addresses, address)
	}
	slices.SortFunc(addresses, netip.Addr.Compare)
	return addresses, nil
}

// unusable says why address cannot be asked for beside others, "" if it can.
func unusable(address netip.Addr, others []netip.Addr, families []corev1.IPFamily) string {
	switch {
	case address == netip.IPv4Unspecified():
		return "asks for an address from DHCP, which Herald does not do"
	case address.Zone() != "":
		return "has a zone"
	case address.Is4In6():
		return "is an IPv4 address written as IPv6"
	case address.IsUnspecified(), address.IsLoopback(), address.IsMulticast():
		return "is not the address of a host"
	case len(families) > 0 && !slices.Contains(families, Family(address)):
		return fmt.Sprintf("is an %s address, and the Service has only %s", Family(address), families[0])
	case slices.ContainsFunc(others, func(other netip.Addr) bool { return Family(other) == Family(address) }):
		return fmt.Sprintf("is a second %s address", Family(address))
	}
	return ""
}
