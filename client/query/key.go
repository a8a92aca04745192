package query

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
)

// A Class is what a value is compared as. Values of different classes are not
// compared.
type Class uint8

// The classes of values.
const (
	Number  Class = 1 // a number of JSON, with an exponent of at most ±10⁹
	Address Class = 2 // an IP address or network
	Time    Class = 3 // a date, or a date and a time
	Text    Class = 4 // anything else
)

// ClassOf returns the class of a value.
func ClassOf(value string) Class {
	var b [64]byte
	return Class(AppendKey(b[:0], value)[0])
}

// Compare returns -1, 0 or 1 as a is before, equal to or after b, and false if
// they are of different classes and so not compared.
//
// Numbers compare by all their digits. IPv4 addresses are before those of IPv6,
// those that IPv6 has for IPv4 are these, zones do not count, and a network is at its
// first address, before all that is in it. Times compare by the instant, and
// are UTC where they have no offset. Texts compare by their bytes.
func Compare(a, b string) (order int, ok bool) {
	var x, y [64]byte
	k, l := AppendKey(x[:0], a), AppendKey(y[:0], b)
	if k[0] != l[0] {
		return 0, false
	}
	return bytes.Compare(k, l), true
}

// AppendKey appends the sort key of a value: the keys of one class are ordered,
// as bytes are, as [Compare] orders the values, and are equal where these are.
// A key begins with its class. That of a text goes on with the text; no key of
// another class is the beginning of another key.
func AppendKey(dst []byte, value string) []byte {
	start := len(dst)
	if value != "" && (value[0] <= '9' || value[0]|0x20 <= 'f') { // else it is a text
		if key, ok := appendNumber(append(dst, byte(Number)), value); ok {
			return key
		}
		if n, ok := parseNetwork(value); ok {
			return appendNetwork(append(dst[:start], byte(Address)), n)
		}
		if t, ok := parseTime(value); ok {
			return t.append(append(dst[:start], byte(Time)))
		}
	}
	return append(append(dst[:start], byte(Text)), value...)
}

// KeyRange returns the keys of the values that fit a [Field] whose Op is Less,
// LessEqual, Greater, GreaterEqual or Within: those from first on that are
// before end.
func (f Field) KeyRange() (first, end []byte) {
	if n, ok := parseNetwork(f.Value); ok && f.Op == Within {
		return networkKeys(n)
	}
	key := AppendKey(nil, f.Value)
	next := append(bytes.Clone(key), 0) // nothing is between
	first, end = key[:1:1], []byte{key[0] + 1}
	switch f.Op {
	case Less:
		end = key
	case LessEqual:
		end = next
	case Greater:
		first = next
	case GreaterEqual:
		first = key
	default:
		end = first
	}
	return first, end
}

// parseNetwork reads a network, or an address as the network of it alone.
func parseNetwork(text string) (netip.Prefix, bool) {
	dots := 0
	for i := 0; i < len(text) && text[i] != '%' && text[i] != '/'; i++ { // most are refused here, at little cost
		switch c := text[i]; {
		case c == '.' || c == ':':
			dots++
		case c-'0' > 9 && (c|0x20)-'a' > 'f'-'a':
			return netip.Prefix{}, false
		}
	}
	if dots < 2 {
		return netip.Prefix{}, false
	}
	if strings.IndexByte(text, '/') < 0 {
		a, err := netip.ParseAddr(text)
		a = a.WithZone("").Unmap()
		return netip.PrefixFrom(a, a.BitLen()), err == nil
	}
	n, err := netip.ParsePrefix(text)
	if n.Addr().Is4In6() && n.Bits() >= 96 {
		n = netip.PrefixFrom(n.Addr().Unmap(), n.Bits()-96)
	}
	return n.Masked(), err == nil
}

// isNetwork reports whether a text is an address or a network.
func isNetwork(text string) bool {
	_, ok := parseNetwork(text)
	return ok
}

// appendNetwork appends the family, the first address, and how many bits of it
// all addresses have.
func appendNetwork(dst []byte, n netip.Prefix) []byte {
	if n.Addr().Is4() {
		a := n.Addr().As4()
		return append(append(append(dst, 4), a[:]...), byte(n.Bits()))
	}
	a := n.Addr().As16()
	return append(append(append(dst, 6), a[:]...), byte(n.Bits()))
}

// networkKeys returns the keys of all that is within a network.
func networkKeys(n netip.Prefix) (first, end []byte) {
	first = appendNetwork([]byte{byte(Address)}, n)
	end = bytes.Clone(first)
	address := end[2 : len(end)-1]
	for i := n.Bits(); i < n.Addr().BitLen(); i++ {
		address[i/8] |= 0x80 >> (i % 8)
	}
	end[len(end)-1] = byte(n.Addr().BitLen())
	return first, append(end, 0)
}

// pack makes of the decimal digits from start on bytes of two, so that digits
// which begin others are before them, and no bytes begin others.
func pack(b []byte, start int) []byte {
	digits, n := b[start:], 0
	for ; len(digits) >= 2; n++ {
		b[start+n] = (digits[0]-'0'+1)<<4 | (digits[1] - '0' + 1)
		digits = digits[2:]
	}
	last := byte(0)
	if len(digits) == 1 {
		last = (digits[0] - '0' + 1) << 4
	}
	return append(b[:start+n], last)
}

func appendSeconds(dst []byte, seconds int64) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(seconds)+1<<63)
}
