package query

import "encoding/binary"

// maxExponent bounds the exponent of a number, as in canonical values.
const maxExponent = 1_000_000_000

// The first byte of the sort key of a positive number, which is
// 0.digits × 10^point; that of a negative one has all bits inverted, as have
// the bytes that follow.
const (
	zeroLead  = 0x80
	smallLead = 0x81                  // point in four bytes
	plainLead = 0x82 + maxPlain       // with point added
	largeLead = 0x82 + 2*maxPlain + 1 // point in four bytes
	maxPlain  = 32                    // the points from -32 to 32 are in the first byte
)

// appendNumber appends the sort key of a number without its class, or says
// that text is none.
func appendNumber(dst []byte, text string) (key []byte, ok bool) {
	n, ok := scanNumber(text)
	if !ok {
		return dst, false
	}
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0, 0) // for the point
	first, point := len(dst), len(n.whole)
	for _, part := range [...]string{n.whole, n.fraction} {
		for i := range len(part) {
			if part[i] == '0' && len(dst) == first {
				point--
				continue
			}
			dst = append(dst, part[i])
		}
	}
	for len(dst) > first && dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	if len(dst) == first {
		return append(dst[:start], zeroLead), true
	}
	dst = pack(dst, first)
	point += n.exponent
	switch lead := dst[start:first]; {
	case -maxPlain <= point && point <= maxPlain:
		lead[0] = byte(plainLead + point)
		dst = append(dst[:start+1], dst[first:]...)
	case point < 0:
		lead[0] = smallLead
		binary.BigEndian.PutUint32(lead[1:], uint32(point))
	default:
		lead[0] = largeLead
		binary.BigEndian.PutUint32(lead[1:], uint32(point))
	}
	for i := range dst[start:] {
		if n.negative {
			dst[start+i] = ^dst[start+i]
		}
	}
	return dst, true
}

// A numeral is a number as it is written.
type numeral struct {
	negative        bool
	whole, fraction string // digits
	exponent        int
}

// scanNumber reads a number of JSON (RFC 8259 §6).
func scanNumber(text string) (n numeral, ok bool) {
	at := 0
	if n.negative = text != "" && text[0] == '-'; n.negative {
		at++
	}
	n.whole, at = scanDigits(text, at)
	if n.whole == "" || len(n.whole) > 1 && n.whole[0] == '0' {
		return n, false
	}
	if at < len(text) && text[at] == '.' {
		if n.fraction, at = scanDigits(text, at+1); n.fraction == "" {
			return n, false
		}
	}
	if at == len(text) || text[at]|0x20 != 'e' {
		return n, at == len(text)
	}
	at++
	below := at < len(text) && text[at] == '-'
	if below || at < len(text) && text[at] == '+' {
		at++
	}
	digits, at := scanDigits(text, at)
	for i := range len(digits) {
		if n.exponent = n.exponent*10 + int(digits[i]-'0'); n.exponent > maxExponent {
			return n, false
		}
	}
	if below {
		n.exponent = -n.exponent
	}
	return n, digits != "" && at == len(text)
}

// scanDigits returns the digits at a place of a text, and where they end.
func scanDigits(text string, at int) (digits string, end int) {
	for end = at; end < len(text) && text[end]-'0' <= 9; end++ {
	}
	return text[at:end], end
}
