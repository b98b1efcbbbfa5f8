package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestNamespacedName(t *testing.T) {
	for text, valid := range map[string]bool{
		"kube-system/kubevip": true,
		"herald":              false,
		"/herald":             false,
		"herald-system/":      false,
		"a/b/c":               false,
		"":                    false,
	} {
		var name namespacedName
		err := name.Set(text)
		if (err == nil) != valid {
			t.Errorf("%q: error %v, want valid %t", text, err, valid)
		}
		if err == nil && name.String() != text {
			t.Errorf("%q became %q", text, name.String())
		}
	}
}

func TestFaultyFlagsAreNamed(t *testing.T) {
	for _, arguments := range []string{
		"controller --log-level=loud",
		"controller --kubeconfig=/does/not/exist",
		"controller --config-map=nowhere",
		"rebalance --kubeconfig=/does/not/exist",
		"rebalance --config-map=nowhere",
	} {
		root := newRootCommand()
		root.SetArgs(strings.Fields(arguments))
		root.SetErr(&bytes.Buffer{})
		_, flag, _ := strings.Cut(arguments, " ")
		flag, _, _ = strings.Cut(flag, "=")
		if err := root.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("%s: error %v does not name %s", arguments, err, flag)
		}
	}
}
