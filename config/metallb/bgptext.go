package metallb

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/heraldlb/herald/config/bgp"
)

// bgpText is bgp.yaml, as package config/bgp has it.
type bgpText struct {
	LocalASN       uint32              `yaml:"localASN"`
	RouterID       string              `yaml:"routerID,omitempty"`
	Peers          []peerText          `yaml:"peers"`
	Advertisements []advertisementText `yaml:"advertisements,omitempty"`
}

type peerText struct {
	Name            string        `yaml:"name"`
	Address         string        `yaml:"address,omitempty"`
	Interface       string        `yaml:"interface,omitempty"`
	ASN             uint32        `yaml:"asn"`
	LocalASN        uint32        `yaml:"localASN,omitempty"`
	Port            uint16        `yaml:"port,omitempty"`
	Multihop        bool          `yaml:"multihop,omitempty"`
	PasswordKey     string        `yaml:"passwordKey,omitempty"`
	HoldTime        string        `yaml:"holdTime,omitempty"`
	KeepaliveTime   string        `yaml:"keepaliveTime,omitempty"`
	ConnectTime     string        `yaml:"connectTime,omitempty"`
	BFD             *bfdText      `yaml:"bfd,omitempty"`
	GracefulRestart *bool         `yaml:"gracefulRestart,omitempty"`
	SourceAddress   string        `yaml:"sourceAddress,omitempty"`
	NodeSelector    *selectorText `yaml:"nodeSelector,omitempty"`
}

type bfdText struct {
	Interval   string `yaml:"interval,omitempty"`
	Multiplier uint32 `yaml:"multiplier,omitempty"`
}

type advertisementText struct {
	Name              string        `yaml:"name"`
	Pools             []string      `yaml:"pools,omitempty"`
	ServiceSelector   *selectorText `yaml:"serviceSelector,omitempty"`
	NodeSelector      *selectorText `yaml:"nodeSelector,omitempty"`
	Peers             []string      `yaml:"peers,omitempty"`
	Communities       []string      `yaml:"communities,omitempty"`
	LocalPreference   uint32        `yaml:"localPreference,omitempty"`
	ASPathPrepend     uint8         `yaml:"asPathPrepend,omitempty"`
	AggregationLength *lengthsText  `yaml:"aggregationLength,omitempty"`
}

type lengthsText struct {
	IPv4 *int `yaml:"ipv4,omitempty"`
	IPv6 *int `yaml:"ipv6,omitempty"`
}

type selectorText struct {
	MatchLabels      map[string]string `yaml:"matchLabels,omitempty"`
	MatchExpressions []expressionText  `yaml:"matchExpressions,omitempty"`
}

type expressionText struct {
	Key      string   `yaml:"key"`
	Operator string   `yaml:"operator"`
	Values   []string `yaml:"values,omitempty"`
}

// text returns a selector as bgp.yaml has it; nil if it selects all.
func (s selector) text() *selectorText {
	if len(s) == 0 {
		return nil
	}
	var t selectorText
	for _, q := range s {
		if _, twice := t.MatchLabels[q.key]; q.operator == opIn && len(q.values) == 1 && !twice {
			if t.MatchLabels == nil {
				t.MatchLabels = make(map[string]string)
			}
			t.MatchLabels[q.key] = q.values[0]
			continue
		}
		t.MatchExpressions = append(t.MatchExpressions, expressionText{q.key, q.operator, q.values})
	}
	return &t
}

// String returns the YAML.
func (t bgpText) String() string {
	var text strings.Builder
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(t); err != nil {
		panic(err) // not to a builder, and not of these types
	}
	return text.String()
}

// refusal says why Herald would refuse it; "" if it would not.
func (t bgpText) refusal() string {
	_, faults := bgp.Parse(t.String())
	return reasons(faults)
}
