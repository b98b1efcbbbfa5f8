package config

import (
	"strings"

	"github.com/heraldlb/herald/config/internal/spelling"
)

// didYouMean ends a reason with the known key that an unknown one resembles.
func didYouMean(key string) string {
	if known := suggest(key); known != "" {
		return "; did you mean " + known + "?"
	}
	return ""
}

// suggest returns the known key that an unknown one was probably meant to be,
// or "". The part after any '-', '_' or '.' may be the scope, so that a
// misspelt prefix is recognised before a namespace's name that has a '-'.
func suggest(key string) string {
	best, least := "", 0
	consider := func(written, known, suggestion string) {
		most := len(known) / 3 // more letters wrong, and it is another word
		if len(written)-len(known) > most {
			return
		}
		distance := spelling.Distance(strings.ToLower(written), known)
		if distance <= most && (best == "" || distance < least) {
			best, least = suggestion, distance
		}
	}
	for _, known := range Keys() {
		if !known.Scoped {
			consider(key, known.Name, known.Name)
		}
	}
	scoped := scopedKeys()
	for at, c := range key {
		if !strings.ContainsRune("-_.", c) || !isNamespace(key[at+1:]) {
			continue
		}
		for _, known := range scoped {
			consider(key[:at+1], known.Name, known.Name+key[at+1:])
		}
	}
	return best
}
