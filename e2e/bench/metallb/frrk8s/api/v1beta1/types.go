// Package v1beta1 has the names that MetalLB's sources mention, and nothing
// that works.
package v1beta1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// AddToScheme adds nothing.
func AddToScheme(*runtime.Scheme) error { return nil }

// FRRConfiguration would be what MetalLB asks of FRR.
type FRRConfiguration struct {
	metav1.TypeMeta
	metav1.ObjectMeta
	Spec FRRConfigurationSpec
}

// DeepCopy returns the same object: nobody changes any.
func (c *FRRConfiguration) DeepCopy() *FRRConfiguration { return c }

// DeepCopyObject returns the same object: nobody changes any.
func (c *FRRConfiguration) DeepCopyObject() runtime.Object { return c }

// DeepCopyInto copies the outermost fields: nobody changes any.
func (s *FRRConfigurationSpec) DeepCopyInto(other *FRRConfigurationSpec) { *other = *s }

// The rest are its parts.
type (
	FRRConfigurationSpec struct {
		NodeSelector metav1.LabelSelector
		BGP          BGPConfig
	}
	BGPConfig struct {
		Routers     []Router
		BFDProfiles []BFDProfile
	}
	Router struct {
		ASN       uint32
		ID, VRF   string
		Neighbors []Neighbor
		Prefixes  []string
	}
	Neighbor struct {
		Address, Interface                   string
		ASN                                  uint32
		DynamicASN                           DynamicASNMode
		Port                                 *uint16
		HoldTime, KeepaliveTime, ConnectTime *metav1.Duration
		BFDProfile                           string
		EnableGracefulRestart, EBGPMultiHop  bool
		DualStackAddressFamily, DisableMP    bool
		ToAdvertise                          Advertise
		Password                             string
		PasswordSecret                       SecretReference
	}
	DynamicASNMode string
	Advertise      struct {
		Allowed                   AllowedOutPrefixes
		PrefixesWithLocalPref     []LocalPrefPrefixes
		PrefixesWithCommunity     []CommunityPrefixes
		PrefixesWithAsPathPrepend []AsPathPrependPrefixes
	}
	AllowedOutPrefixes struct{ Prefixes []string }
	LocalPrefPrefixes  struct {
		LocalPref uint32
		Prefixes  []string
	}
	CommunityPrefixes struct {
		Community string
		Prefixes  []string
	}
	AsPathPrependPrefixes struct {
		AsPathPrepend uint8
		Prefixes      []string
	}
	SecretReference struct{ Name, Namespace string }
	BFDProfile      struct {
		Name                                                                          string
		ReceiveInterval, TransmitInterval, DetectMultiplier, EchoInterval, MinimumTTL *uint32
		EchoMode, PassiveMode                                                         *bool
	}
)
