package settings

import "strings"

// Nearest returns the name that somebody who wrote another most likely meant, or "".
func Nearest(written string, names []string) string {
	best, least := "", max(len(written)/3, 2)+1
	for _, name := range names {
		if d := distance(strings.ToLower(written), strings.ToLower(name)); d < least {
			best, least = name, d
		}
	}
	const word = 4 // letters, at least, of what may be part of a name
	for _, name := range names {
		if best == "" && len(written) >= word && strings.Contains(strings.ToLower(name), strings.ToLower(written)) {
			best = name
		}
	}
	return best
}

// distance is Levenshtein's: how many letters to put in, take out or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
