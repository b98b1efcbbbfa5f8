package router

import (
	"bufio"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// parseProtocols reads BIRD's show protocols all: a line for each protocol, and lines set
// off about it.
func parseProtocols(text string) (map[string]Session, error) {
	sessions := map[string]Session{}
	name, channel := "", 0
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); line[0] != ' ' && len(fields) > 1 {
			name = ""
			if fields[1] == "BGP" {
				name = fields[0]
				sessions[name] = Session{Routes: map[int]int{}}
			}
			continue
		}
		session, ok := sessions[name]
		key, value, found := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		switch {
		case !found && strings.HasPrefix(key, "Channel ipv"):
			channel, _ = strconv.Atoi(strings.TrimPrefix(key, "Channel ipv"))
		case key == "BGP state":
			session.State = value
		case key == "Last error":
			session.Reason = value
		case key == "Hold timer":
			_, hold, _ := strings.Cut(value, "/")
			seconds, err := strconv.Atoi(hold)
			if err != nil {
				return nil, fmt.Errorf("BIRD's protocol %s: hold timer: %w", name, err)
			}
			session.HoldTime = time.Duration(seconds) * time.Second
		case key == "Routes":
			var imported int
			if _, err := fmt.Sscanf(value, "%d imported", &imported); err != nil {
				return nil, fmt.Errorf("BIRD's protocol %s: routes %q: %w", name, value, err)
			}
			session.Routes[channel] = imported
		}
		sessions[name] = session
	}
	return sessions, nil
}

// routeLine begins a route: its prefix, unless it is that of the one before, and in
// brackets the protocol and since when.
var routeLine = regexp.MustCompile(`^(\S*)\s+unicast \[(\S+) [^]]*\]( \*)?`)

// parseRoutes reads BIRD's show route all.
func parseRoutes(text string) ([]Route, error) {
	var routes []Route
	var prefix netip.Prefix
	scanner := bufio.NewScanner(strings.NewReader(text))
	for scanner.Scan() {
		if found := routeLine.FindStringSubmatch(scanner.Text()); found != nil {
			if found[1] != "" {
				var err error
				if prefix, err = netip.ParsePrefix(found[1]); err != nil {
					return nil, fmt.Errorf("BIRD's route %q: %w", scanner.Text(), err)
				}
			}
			routes = append(routes, Route{Prefix: prefix, From: found[2], Best: found[3] != ""})
			continue
		}
		if len(routes) == 0 || !strings.HasPrefix(scanner.Text(), "\t") {
			continue
		}
		if err := routes[len(routes)-1].read(strings.TrimSpace(scanner.Text())); err != nil {
			return nil, fmt.Errorf("BIRD's route to %s: %q: %w", prefix, scanner.Text(), err)
		}
	}
	return routes, scanner.Err()
}

// read reads a line about a route.
func (r *Route) read(line string) error {
	if via, ok := strings.CutPrefix(line, "via "); ok {
		address, err := netip.ParseAddr(strings.Fields(via + " -")[0])
		r.NextHops = append(r.NextHops, address)
		return err
	}
	key, value, _ := strings.Cut(line, ": ")
	switch key {
	case "BGP.as_path":
		for word := range strings.FieldsSeq(value) {
			number, err := strconv.ParseUint(word, 10, 32)
			if err != nil {
				return err
			}
			r.Path = append(r.Path, uint32(number))
		}
	case "BGP.med", "BGP.local_pref":
		number, err := strconv.ParseUint(value, 10, 32)
		if err != nil {
			return err
		}
		if figure := uint32(number); key == "BGP.med" {
			r.MED = &figure
		} else {
			r.LocalPreference = figure
		}
	case "BGP.community":
		r.Communities = communities(value)
	case "BGP.large_community":
		r.LargeCommunities = communities(value)
	}
	return nil
}

// communities reads "(64513,100) (64513,101)", or with blanks after the commas.
func communities(text string) []string {
	var all []string
	for part := range strings.SplitSeq(text, "(") {
		if numbers, _, ok := strings.Cut(part, ")"); ok {
			all = append(all, strings.ReplaceAll(strings.ReplaceAll(numbers, " ", ""), ",", ":"))
		}
	}
	return all
}
