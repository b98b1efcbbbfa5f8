// Package spelling guesses what a misspelt word was meant to be.
package spelling

import "strings"

// Nearest returns the known word that a written one was probably meant to be, or
// "". More than a third of the letters wrong, and it is another word.
func Nearest(written string, known []string) string {
	best, least := "", 0
	for _, word := range known {
		most := len(word) / 3
		if len(written)-len(word) > most {
			continue
		}
		distance := Distance(strings.ToLower(written), strings.ToLower(word))
		if distance <= most && (best == "" || distance < least) {
			best, least = word, distance
		}
	}
	return best
}

// Distance counts the letters to insert, delete, replace or swap with
// their neighbour to make b of a (optimal string alignment).
func Distance(a, b string) int {
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
