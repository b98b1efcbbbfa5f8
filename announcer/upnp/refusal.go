package upnp

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/huin/goupnp/soap"
)

// Refusal is a gateway's word that it does not do as asked.
type Refusal struct {
	Action string
	// Code is the gateway's (UPnP Device Architecture 2.0 section 3.2.2, and those of
	// the services), 0 if it gave none.
	Code int
	// Text is what the gateway says itself.
	Text string
}

// Error tells the code in words.
func (r *Refusal) Error() string {
	text := r.Text
	if known := meaning(r.Code); known != "" {
		text = known
	}
	if text == "" {
		text = "no reason given"
	}
	if r.Code == 0 {
		return fmt.Sprintf("%s: %s", r.Action, text)
	}
	return fmt.Sprintf("%s: error %d, %s", r.Action, r.Code, text)
}

// Codes that there is something to do about.
const (
	invalidAction   = 401
	notAuthorized   = 606
	noSuchPinhole   = 704
	noSuchEntry     = 714
	conflictOfEntry = 718
	onlyPermanent   = 725
	otherMechanism  = 729
)

// meaning returns what an error code means, "" if unknown: those of the architecture,
// of WANIPConnection:2 section 2.5 and of WANIPv6FirewallControl:1 section 2.4.
func meaning(code int) string {
	words := map[int]string{
		invalidAction:   "the gateway does not know the action",
		402:             "the gateway finds the arguments invalid",
		501:             "the action failed in the gateway",
		600:             "the gateway finds an argument out of range",
		602:             "the gateway does not do this",
		603:             "the gateway is out of memory",
		605:             "the gateway finds an argument too long",
		notAuthorized:   "the gateway does not authorize it: many let a host open ports for its own address only, and some none below 1024",
		701:             "the gateway has no room for another pinhole",
		702:             "the gateway's firewall is off",
		703:             "the gateway lets nobody open pinholes",
		noSuchPinhole:   "the gateway knows no such pinhole",
		705:             "the gateway opens no pinholes for this protocol",
		noSuchEntry:     "the gateway knows no such mapping",
		715:             "the gateway wants a remote host to be named",
		716:             "the gateway wants an external port to be named",
		conflictOfEntry: "the gateway maps the port to somebody else, or lets a host map ports to its own address only",
		724:             "the gateway wants both ports to be equal",
		onlyPermanent:   "the gateway maps ports for ever only",
		726:             "the gateway maps for all remote hosts only",
		727:             "the gateway maps for all external ports only",
		728:             "the gateway has no room for another mapping",
		otherMechanism:  "the gateway uses the port otherwise",
		732:             "the gateway wants an internal port to be named",
	}
	return words[code]
}

// maxText bounds what is quoted of a gateway, maxProblem an error that may quote one.
const (
	maxText    = 120
	maxProblem = 400
)

// judged returns the error of a call as a *Refusal if the gateway answered, as it is
// otherwise.
func judged(action string, err error) error {
	var fault *soap.SOAPFaultError
	if !errors.As(err, &fault) {
		if err != nil {
			return fmt.Errorf("%s: %w", action, err)
		}
		return nil
	}
	return &Refusal{
		Action: action,
		Code:   fault.Detail.UPnPError.Errorcode,
		Text:   printable(fault.Detail.UPnPError.ErrorDescription),
	}
}

// printable returns text in one line and of bounded length.
func printable(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, text)
	return clipped(text, maxText)
}

func clipped(text string, limit int) string {
	if len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "") + "…"
	}
	return text
}

// hasCode tells whether err is a Refusal with one of the codes.
func hasCode(err error, codes ...int) bool {
	var refusal *Refusal
	return errors.As(err, &refusal) && slices.Contains(codes, refusal.Code)
}
