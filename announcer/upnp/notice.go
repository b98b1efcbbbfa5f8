package upnp

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
)

// maxDatagram is what is read of one; those of SSDP fit into a frame.
const maxDatagram = 2048

// The words of SSDP (UPnP Device Architecture 2.0 section 1).
const (
	ssdpGroup = "239.255.255.250"
	ssdpPort  = 1900

	headerBoot     = "BOOTID.UPNP.ORG"
	headerLocation = "LOCATION"
	deviceOne      = "urn:schemas-upnp-org:device:InternetGatewayDevice:1"
	deviceTwo      = "urn:schemas-upnp-org:device:InternetGatewayDevice:2"
)

// notice is what a gateway tells everybody, unasked.
type notice struct {
	// gone says that it takes its leave.
	gone bool
	// boot is the number that changes when it restarts, "" if it has none.
	boot string
}

// parseNotice reads a NOTIFY; it is false for anything else.
func parseNotice(datagram []byte) (notice, bool) {
	request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(datagram)))
	if err != nil || request.Method != "NOTIFY" {
		return notice{}, false
	}
	n := notice{boot: bounds(request.Header.Get(headerBoot))}
	switch strings.ToLower(request.Header.Get("NTS")) {
	case "ssdp:alive", "ssdp:update":
		return n, true
	case "ssdp:byebye":
		n.gone = true
		return n, true
	default:
		return notice{}, false
	}
}

// answer is what a gateway says when it is searched for.
type answer struct{ location, boot string }

// parseAnswer reads an answer to a search; it is false for anything else.
func parseAnswer(datagram []byte) (answer, bool) {
	response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(datagram)), nil)
	if err != nil || response.StatusCode != http.StatusOK {
		return answer{}, false
	}
	defer func() { _ = response.Body.Close() }()
	switch response.Header.Get("ST") {
	case deviceOne, deviceTwo:
	default:
		return answer{}, false
	}
	a := answer{location: response.Header.Get(headerLocation), boot: bounds(response.Header.Get(headerBoot))}
	return a, a.location != ""
}

// bounds keeps what is remembered of a stranger's word short.
func bounds(text string) string { return text[:min(len(text), 32)] }

// question is a search for a device.
func question(device string) []byte {
	return []byte("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: " + device + "\r\n\r\n")
}
