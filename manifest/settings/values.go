package settings

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// Values are what was given for each setting: by flag, else by environment, else its
// default.
type Values struct{ all map[string]value }

type value struct {
	Setting
	text string
	from source
}

type source int

const (
	byDefault source = iota
	byEnvironment
	byFlag
)

// Register adds all flags to a set.
func Register(set *pflag.FlagSet) {
	for _, s := range All() {
		s.register(set)
	}
}

// RegisterBGP adds the flags of BGP alone.
func RegisterBGP(set *pflag.FlagSet) {
	for _, s := range BGP() {
		if s.Outcome == Same {
			s.register(set)
		}
	}
}

// LookupBGP returns how to look up the environment of what speaks BGP, where a flag of a
// set, which is parsed, stands before it.
func LookupBGP(set *pflag.FlagSet, environment func(string) (string, bool)) func(string) (string, bool) {
	return func(name string) (string, bool) {
		if name == "bgp_enable" {
			return "true", true
		}
		for _, s := range BGP() {
			if flag := set.Lookup(s.Flag); s.Env == name && flag != nil && flag.Changed {
				return flagText(flag), true
			}
		}
		return environment(name)
	}
}

func (s Setting) register(set *pflag.FlagSet) {
	if s.Flag == "" {
		return
	}
	usage := s.Text
	if s.Env != "" {
		usage += " ($" + s.Env + ")"
	}
	short := ""
	if s.Flag == "namespace" {
		short = "n"
	}
	switch s.Kind {
	case Switch:
		set.BoolP(s.Flag, short, s.Default == "true", usage)
	case Number:
		number, _ := strconv.Atoi(s.Default)
		set.IntP(s.Flag, short, number, usage)
	case List:
		set.StringSliceP(s.Flag, short, nil, usage)
	case Text:
		set.StringP(s.Flag, short, s.Default, usage)
	}
	if s.Outcome == Tuning || s.Outcome == Missing {
		set.Lookup(s.Flag).Hidden = true
	}
}

// Read takes what a parsed set and the environment say. The error names every setting
// whose value is not of its kind, or that Herald does not have.
func Read(set *pflag.FlagSet, environment func(string) (string, bool)) (Values, error) {
	v := Values{all: make(map[string]value)}
	var faults []error
	for _, s := range All() {
		one := read(s, set, environment)
		v.all[s.Name()] = one
		if err := one.check(); err != nil {
			faults = append(faults, err)
		}
	}
	return v, errors.Join(faults...)
}

func read(s Setting, set *pflag.FlagSet, environment func(string) (string, bool)) value {
	if s.Flag != "" {
		if flag := set.Lookup(s.Flag); flag != nil && flag.Changed {
			return value{s, flagText(flag), byFlag}
		}
	}
	if s.Env != "" {
		if text, found := environment(s.Env); found && text != "" {
			return value{s, s.normal(text), byEnvironment}
		}
	}
	return value{s, s.Default, byDefault}
}

// normal writes a value of the environment as flags are written.
func (s Setting) normal(text string) string {
	text = strings.TrimSpace(text)
	if on, err := strconv.ParseBool(text); s.Kind == Switch && err == nil {
		return strconv.FormatBool(on)
	}
	return text
}

func flagText(flag *pflag.Flag) string {
	if list, is := flag.Value.(pflag.SliceValue); is {
		return strings.Join(list.GetSlice(), ",")
	}
	return flag.Value.String()
}

// check returns an error if the value is not of its kind, or asks for what is not there.
func (v value) check() error {
	switch v.Kind {
	case Switch:
		if _, err := strconv.ParseBool(v.text); err != nil {
			return fmt.Errorf("%s %q: true or false", v, v.text)
		}
	case Number:
		if _, err := strconv.ParseInt(v.text, 10, 32); err != nil {
			return fmt.Errorf("%s %q: a number", v, v.text)
		}
	case Text, List:
	}
	if v.Outcome == Missing && v.text != v.Default {
		return fmt.Errorf("%s: %s", v, v.Text)
	}
	return nil
}

// String says where the value is from.
func (v value) String() string {
	if v.from == byEnvironment || v.Flag == "" {
		return "environment " + v.Env
	}
	return "--" + v.Flag
}

// given says whether somebody wished it: kube-vip's own manifests spell many of its
// defaults out in the environment, which is nobody's wish.
func (v value) given() bool {
	return v.from == byFlag || v.from == byEnvironment && v.text != v.Default
}

func (v Values) text(name string) string { return v.all[name].text }

func (v Values) on(name string) bool {
	on, err := strconv.ParseBool(v.text(name))
	return err == nil && on
}

// number is what Read has checked.
func (v Values) number(name string) int {
	n, err := strconv.Atoi(v.text(name))
	if err != nil {
		return 0
	}
	return n
}

func (v Values) list(name string) []string {
	var all []string
	for text := range strings.SplitSeq(v.text(name), ",") {
		if text = strings.TrimSpace(text); text != "" {
			all = append(all, text)
		}
	}
	return all
}

func (v Values) given(name string) bool { return v.all[name].given() }

// first is the first of the names that was given.
func (v Values) first(names ...string) string {
	for _, name := range names {
		if v.given(name) {
			return v.text(name)
		}
	}
	return ""
}
