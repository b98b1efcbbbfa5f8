package service

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestShortened(t *testing.T) {
	for name, note := range map[string]string{
		"short":                            "192.0.2.1",
		"fits":                             strings.Repeat("x", maxNote),
		"too long":                         strings.Repeat("x", maxNote+1),
		"cut in the middle of a character": strings.Repeat("…", maxNote),
	} {
		t.Run(name, func(t *testing.T) {
			got := shortened(note)
			if len(got) > maxNote || !utf8.ValidString(got) {
				t.Errorf("%d bytes, valid UTF-8 %t", len(got), utf8.ValidString(got))
			}
			if len(note) <= maxNote && got != note {
				t.Errorf("%q was changed to %q", note, got)
			}
		})
	}
}
