// Package chart loads Herald's Helm chart, and packs it.
package chart

import (
	"fmt"
	"strings"
	"time"

	"helm.sh/helm/v4/pkg/chart/common"
	v2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/chart/v2/util"
)

// Pack packs the chart in a folder for a version of Herald into dist, the same bytes each time, and
// returns the file's name.
func Pack(folder, version string, created time.Time, dist string) (string, error) {
	chart, err := loader.LoadDir(folder)
	if err != nil {
		return "", fmt.Errorf("load %s: %w", folder, err)
	}
	chart.Metadata.Version = strings.TrimPrefix(version, "v") // a semantic version has no letter
	chart.Metadata.AppVersion = version
	stamp(chart, created)
	file, err := util.Save(chart, dist)
	if err != nil {
		return "", fmt.Errorf("pack %s: %w", folder, err)
	}
	return file, nil
}

// stamp gives all that the chart holds one time.
func stamp(chart *v2.Chart, created time.Time) {
	chart.ModTime, chart.SchemaModTime = created, created
	for _, files := range [][]*common.File{chart.Raw, chart.Templates, chart.Files} {
		for _, file := range files {
			file.ModTime = created
		}
	}
}
