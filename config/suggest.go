package config

import "strings"

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
		distance := editDistance(strings.ToLower(written), known)
		if distance <= most && (best == "" || distance < least) {
			best, least = suggestion, distance
		}
	}
	consider(key, keyOrder, keyOrder)
	consider(key, keySkipEnds, keySkipEnds)
	for at, c := range key {
		if !strings.ContainsRune("-_.", c) || !isNamespace(key[at+1:]) {
			continue
		}
		for _, prefix := range prefixes() {
			consider(key[:at+1], prefix, prefix+key[at+1:])
		}
	}
	return best
}

// editDistance counts the letters to insert, delete, replace or swap with
// their neighbour to make b of a (optimal string alignment).
func editDistance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			replace := last[j]
			if a[i] != b[j] {
				replace++
			}
			row[j+1] = min(replace, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
