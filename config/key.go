package config

import (
	"fmt"
	"strings"

	"github.com/heraldlb/herald/config/fault"
)

// Keys of the ConfigMap that stand alone.
const (
	keyOrder    = "search-order"
	keySkipEnds = "skip-end-ips-in-cidr"
)

// Keys of the ConfigMap that a scope follows.
const (
	prefixCIDR      = "cidr-"
	prefixRange     = "range-"
	prefixExclude   = "exclude-"
	prefixShare     = "allow-share-"
	prefixInterface = "interface-"
	prefixAnnounce  = "announce-"
)

func prefixes() []string {
	return []string{prefixCIDR, prefixRange, prefixExclude, prefixShare, prefixInterface, prefixAnnounce}
}

// cutKey parts a key into its prefix and the scope that follows.
func cutKey(key string) (prefix, scope string, ok bool) {
	for _, prefix := range prefixes() {
		if scope, ok := strings.CutPrefix(key, prefix); ok {
			return prefix, scope, true
		}
	}
	return "", "", false
}

// checkScope says what is wrong with a scope; nil if nothing.
func checkScope(prefix, scope string) error {
	switch {
	case scope == "":
		return fmt.Errorf("no namespace named; did you mean %s%s?", prefix, Global)
	case isNamespace(scope):
		return nil
	case isNamespace(strings.ToLower(scope)):
		return fmt.Errorf("%s is not a namespace name (RFC 1123 label); did you mean %s?", fault.Quote(scope), prefix+strings.ToLower(scope))
	}
	return fmt.Errorf("%s is not a namespace name (RFC 1123 label: 1 to 63 of a-z, 0-9 and '-', not at the ends)", fault.Quote(scope))
}

// isNamespace tells whether name is an RFC 1123 label in lower case, as the
// names of namespaces are.
func isNamespace(name string) bool {
	const most = 63
	if name == "" || len(name) > most || name[0] == '-' || name[len(name)-1] == '-' {
		return false
	}
	for _, c := range []byte(name) {
		if !isLower(c) && !isDigit(c) && c != '-' {
			return false
		}
	}
	return true
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// checkInterface says why the kernel would refuse an interface name
// (dev_valid_name in net/core/dev.c); nil if it would not.
func checkInterface(name string) error {
	const ifNameSize = 16 // IFNAMSIZ, with the closing zero byte
	switch {
	case name == "":
		return fmt.Errorf("no interface named")
	case strings.Contains(name, ","):
		return fmt.Errorf("names more than one interface")
	case len(name) >= ifNameSize:
		return fmt.Errorf("not an interface name: %d bytes, at most %d", len(name), ifNameSize-1)
	case name == "." || name == "..":
		return fmt.Errorf("not an interface name")
	case strings.ContainsAny(name, "/: \t\n\v\f\r\x00"):
		return fmt.Errorf("not an interface name: no '/', ':' or white space")
	}
	return nil
}
