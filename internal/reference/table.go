package main

import "strings"

// table writes rows as Markdown's tables are; the first is its head.
func table(rows [][]string) string {
	var text strings.Builder
	for i, row := range rows {
		text.WriteString("|")
		for _, cell := range row {
			text.WriteString(" " + strings.ReplaceAll(cell, "|", `\|`) + " |")
		}
		if i == 0 {
			text.WriteString("\n|" + strings.Repeat(" --- |", len(row)))
		}
		if i < len(rows)-1 {
			text.WriteString("\n")
		}
	}
	return text.String()
}

// code quotes what is typed, unless there is nothing, or the text has quotes already.
func code(text string) string {
	if text == "" || strings.Contains(text, "`") {
		return text
	}
	return "`" + text + "`"
}
