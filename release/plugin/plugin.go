// Package plugin makes what kubectl needs to know herald as a plugin.
package plugin

import (
	_ "embed"
	"io"
	"text/template"
)

//go:embed krew.yaml
var krew string

// Completer is a program of the name kubectl_complete-herald: kubectl asks it for what may follow
// `kubectl herald`.
//
//go:embed kubectl_complete-herald
var Completer []byte

// Release is what the plugin's manifest says of a release.
type Release struct {
	// Version has the letter: v1.2.3.
	Version  string
	Archives []Archive
}

// Archive is a platform's archive.
type Archive struct {
	OS, Arch string
	URI      string
	SHA256   string
}

// WriteKrew writes the manifest for krew.
func WriteKrew(to io.Writer, release Release) error {
	manifest, err := template.New("krew.yaml").Option("missingkey=error").Parse(krew)
	if err != nil {
		return err
	}
	return manifest.Execute(to, release)
}
