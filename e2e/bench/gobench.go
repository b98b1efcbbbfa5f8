package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/heraldlb/herald/e2e/bench/figure"
)

// readGoBenchmarks reads the output of go test -bench: a line for each
// benchmark, with its name, how often it ran, and values with their units.
func readGoBenchmarks(paths []string) ([]figure.Figure, error) {
	var figures []figure.Figure
	for _, path := range paths {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(file)
		for lines.Scan() {
			figures = append(figures, goBenchmark(lines.Text())...)
		}
		if err := lines.Err(); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if err := file.Close(); err != nil {
			return nil, err
		}
	}
	return append(figures, ratios(figures)...), nil
}

func goBenchmark(line string) []figure.Figure {
	fields := strings.Fields(line)
	if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
		return nil
	}
	count, err := strconv.Atoi(fields[1])
	if err != nil {
		return nil
	}
	name := strings.TrimPrefix(fields[0], "Benchmark")
	if end := strings.LastIndexByte(name, '-'); end > 0 { // the number of processors
		name = name[:end]
	}
	var figures []figure.Figure
	for i := 2; i+1 < len(fields); i += 2 {
		value, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return nil
		}
		figures = append(figures, aimed(figure.Single(name, fields[i+1], value, count, nil)))
	}
	return figures
}
