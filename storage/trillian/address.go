package trillian

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// scheme starts the address of a remote tree.
const scheme = "trillian://"

// errAddress means that an address is not canonical.
var errAddress = errors.New("not trillian://host:port/tree")

// Address is where a remote tree is: trillian://host:port/tree. Host is a DNS
// name in lower case or an IP address, an IPv6 one in brackets; Tree is the
// decimal tree ID.
type Address struct {
	Host string
	Port uint16
	Tree int64
}

// ParseAddress parses an address. What it accepts, String formats to the same
// bytes.
func ParseAddress(s string) (Address, error) {
	a, err := parseAddress(s)
	if err != nil {
		return Address{}, fmt.Errorf("parse address %q: %w", s, err)
	}
	if a.String() != s {
		return Address{}, fmt.Errorf("parse address %q: %w: canonical is %q", s, errAddress, a)
	}
	return a, nil
}

func parseAddress(s string) (Address, error) {
	rest, ok := strings.CutPrefix(s, scheme)
	if !ok || len(s) > 512 {
		return Address{}, errAddress
	}
	hostPort, tree, ok := strings.Cut(rest, "/")
	if !ok {
		return Address{}, errAddress
	}
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return Address{}, fmt.Errorf("%w: %w", errAddress, err)
	}
	a := Address{Host: host}
	if !validHost(host) {
		return Address{}, fmt.Errorf("%w: host %q", errAddress, host)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 {
		return Address{}, fmt.Errorf("%w: port %q", errAddress, port)
	}
	a.Port = uint16(number)
	if a.Tree, err = strconv.ParseInt(tree, 10, 64); err != nil || a.Tree < 1 {
		return Address{}, fmt.Errorf("%w: tree %q", errAddress, tree)
	}
	return a, nil
}

// validHost says whether host is a canonical IP address without a zone, or
// has the letters of a DNS name.
func validHost(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.String() == host && ip.Zone() == ""
	}
	for _, label := range strings.Split(host, ".") {
		if label == "" || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

// String formats the address.
func (a Address) String() string { return fmt.Sprintf("%s%s/%d", scheme, a.target(), a.Tree) }

// target is the address as net.Dial wants it.
func (a Address) target() string {
	return net.JoinHostPort(a.Host, strconv.FormatUint(uint64(a.Port), 10))
}

// loopback says whether the host is this one.
func (a Address) loopback() bool {
	ip, err := netip.ParseAddr(a.Host)
	return a.Host == "localhost" || err == nil && ip.IsLoopback()
}
