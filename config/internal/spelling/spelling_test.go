package spelling_test

import (
	"testing"

	"github.com/heraldlb/herald/config/internal/spelling"
)

func TestNearest(t *testing.T) {
	known := []string{"holdTime", "keepaliveTime", "name", "asn"}
	for written, want := range map[string]string{
		"holdTime":         "holdTime",
		"holdtime":         "holdTime",
		"hodlTime":         "holdTime",
		"keepAlive":        "keepaliveTime",
		"keepalivTime":     "keepaliveTime",
		"namr":             "name",
		"as":               "asn",
		"port":             "",
		"":                 "",
		"holdTimeForPeers": "",
	} {
		if got := spelling.Nearest(written, known); got != want {
			t.Errorf("%q is %q, want %q", written, got, want)
		}
	}
}
