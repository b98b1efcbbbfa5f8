// Package sbom tells what programs are made of, by what the Go linker wrote into them.
package sbom

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/CycloneDX/cyclonedx-go"
)

// Subject is what an SBOM is of.
type Subject struct {
	Version string
	Commit  string
	// Created is the time of the commit: the same sources have the same SBOM.
	Created time.Time
	// Platform is GOOS/GOARCH, and the variant where there is one.
	Platform string
	// Programs are files that Go linked.
	Programs []string
}

// Write writes the subject's SBOM as CycloneDX 1.6, in JSON.
func Write(to io.Writer, subject Subject) error {
	bom, err := Of(subject)
	if err != nil {
		return err
	}
	encoder := cyclonedx.NewBOMEncoder(to, cyclonedx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false)
	return encoder.EncodeVersion(bom, cyclonedx.SpecVersion1_6)
}

// Of returns the SBOM: the programs with their digests, the modules that are in any of them, and
// which program has which.
func Of(subject Subject) (*cyclonedx.BOM, error) {
	herald := cyclonedx.Component{
		BOMRef:     "herald",
		Type:       cyclonedx.ComponentTypeApplication,
		Name:       "herald",
		Version:    subject.Version,
		PackageURL: "pkg:golang/github.com/heraldlb/herald@" + subject.Version,
		Licenses:   &cyclonedx.Licenses{{License: &cyclonedx.License{ID: "Apache-2.0"}}},
		Properties: &[]cyclonedx.Property{
			{Name: "heraldlb:commit", Value: subject.Commit},
			{Name: "heraldlb:platform", Value: subject.Platform},
		},
	}
	var components []cyclonedx.Component
	var dependencies []cyclonedx.Dependency
	var programs []string
	modules := make(map[string]cyclonedx.Component)
	for _, path := range subject.Programs {
		program, parts, err := read(path, subject.Version)
		if err != nil {
			return nil, err
		}
		components = append(components, program)
		programs = append(programs, program.BOMRef)
		uses := make([]string, 0, len(parts))
		for _, part := range parts {
			modules[part.BOMRef] = part
			uses = append(uses, part.BOMRef)
		}
		slices.Sort(uses)
		dependencies = append(dependencies, cyclonedx.Dependency{Ref: program.BOMRef, Dependencies: &uses})
	}
	components = slices.AppendSeq(components, sorted(modules))
	dependencies = slices.Insert(dependencies, 0, cyclonedx.Dependency{Ref: herald.BOMRef, Dependencies: &programs})

	bom := cyclonedx.NewBOM()
	bom.Metadata = &cyclonedx.Metadata{
		Timestamp: subject.Created.UTC().Format(time.RFC3339),
		Component: &herald,
	}
	bom.Components = &components
	bom.Dependencies = &dependencies
	return bom, nil
}

// read returns a program, and the modules in it.
func read(path, version string) (cyclonedx.Component, []cyclonedx.Component, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return cyclonedx.Component{}, nil, fmt.Errorf("what %s is built of: %w", path, err)
	}
	digest, err := digest(path)
	if err != nil {
		return cyclonedx.Component{}, nil, err
	}
	name := strings.TrimSuffix(filepath.Base(path), ".exe")
	program := cyclonedx.Component{
		BOMRef:  "program:" + name,
		Type:    cyclonedx.ComponentTypeApplication,
		Name:    name,
		Version: version,
		Hashes:  &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: digest}},
	}
	modules := []cyclonedx.Component{library("std", strings.TrimPrefix(info.GoVersion, "go"))}
	for _, module := range info.Deps {
		modules = append(modules, library(linked(module)))
	}
	return program, modules, nil
}

// linked is the module that stands for another, where one does.
func linked(module *debug.Module) (path, version string) {
	if module.Replace != nil {
		module = module.Replace
	}
	return module.Path, module.Version
}

func library(path, version string) cyclonedx.Component {
	purl := "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")
	return cyclonedx.Component{
		BOMRef:     purl,
		Type:       cyclonedx.ComponentTypeLibrary,
		Name:       path,
		Version:    version,
		PackageURL: purl,
		Scope:      cyclonedx.ScopeRequired,
	}
}

func digest(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close() //nolint:errcheck // read only
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
