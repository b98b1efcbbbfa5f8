package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestReadGoBenchmarks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bench.txt")
	text := `goos: linux
BenchmarkChurn/newest/held=1000-2      	 1000	 400 p50-ns/allocate	 100 p50-ns/release
BenchmarkChurn/newest/held=1000000-2   	 1000	 1200 p50-ns/allocate	 150 p50-ns/release
BenchmarkReplies/IPv4/1000-2           	   10	 600000 replies/s	 0.6 of-kernel
PASS
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	figures, err := readGoBenchmarks([]string{path})
	if err != nil {
		t.Fatal(err)
	}
	met := map[string]bool{}
	for _, f := range figures {
		if f.Values[0].Met != nil {
			met[f.Name+" "+f.Unit] = *f.Values[0].Met
		}
	}
	want := map[string]bool{
		"Churn/newest/held=1000000 p50-ns/allocate":                   false,
		"Churn/newest/held=1000000 p50-ns/release":                    true,
		"Replies/IPv4/1000 of-kernel":                                 true,
		"Churn/newest, 1,000,000 held : 1,000, p50-ns/allocate ratio": false,
		"Churn/newest, 1,000,000 held : 1,000, p50-ns/release ratio":  true,
	}
	for name, want := range want {
		if got, ok := met[name]; !ok || got != want {
			t.Errorf("%s: met %t (found %t), want %t", name, got, ok, want)
		}
	}
	if len(met) != len(want) {
		t.Errorf("figures with a target: %v", met)
	}
}
