package proofs

import (
	"slices"
	"strconv"
)

// The canonical form of a number is its own decimal digits, without zeros at
// either end, in the layout of ECMAScript's Number::toString. For a number
// that a double's shortest form can write, which is each of at most 15
// digits and every one that a JSON library printed from a double, that is
// RFC 8785 §3.2.2.3. RFC 8785 has nothing to say of the others but that they be
// sent as strings; here they keep all their digits, so that two 64-bit identifiers
// are never taken for each other.

// maxExponent bounds the decimal exponent of a number that has a canonical form.
const maxExponent = 1_000_000_000

// appendNumber appends the canonical form of a number, which has been checked,
// or says that it has none.
func appendNumber(dst, number []byte) (_ []byte, ok bool) {
	start := len(dst)
	if number[0] == '-' {
		dst = append(dst, '-')
		number = number[1:]
	}
	first := len(dst)
	dst, point, ok := appendDigits(dst, number)
	if !ok {
		return dst[:start], false
	}
	if len(dst) == first {
		return append(dst[:start], '0'), true // there is no other zero, no -0 either
	}
	return layOut(dst, first, point), true
}

// appendDigits appends the significant digits of a number without sign. Its
// value is 0.digits × 10^point.
func appendDigits(dst, number []byte) (_ []byte, point int, ok bool) {
	first, fraction := len(dst), false
	i := 0
	for ; i < len(number) && number[i]|0x20 != 'e'; i++ {
		if number[i] == '.' {
			fraction = true
			continue
		}
		if number[i] != '0' || len(dst) > first {
			dst = append(dst, number[i])
			if !fraction {
				point++
			}
		} else if fraction {
			point-- // a zero between the point and the first digit
		}
	}
	for len(dst) > first && dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	if len(dst) == first || i == len(number) {
		return dst, point, true
	}
	exponent, ok := parseExponent(number[i+1:])
	return dst, point + exponent, ok
}

func parseExponent(b []byte) (exponent int, ok bool) {
	negative := b[0] == '-'
	if negative || b[0] == '+' {
		b = b[1:]
	}
	for _, c := range b {
		exponent = exponent*10 + int(c-'0')
		if exponent > maxExponent {
			return 0, false
		}
	}
	if negative {
		exponent = -exponent
	}
	return exponent, true
}

// layOut gives the digits from first on the form that ECMA-262
// Number::toString has for 0.digits × 10^point.
func layOut(dst []byte, first, point int) []byte {
	digits := len(dst) - first
	switch {
	case digits <= point && point <= 21:
		return append(dst, "000000000000000000000"[:point-digits]...)
	case 0 < point && point <= 21:
		return slices.Insert(dst, first+point, '.')
	case -6 < point && point <= 0:
		return slices.Insert(dst, first, []byte("0.00000")[:2-point]...)
	}
	if digits > 1 {
		dst = slices.Insert(dst, first+1, '.')
	}
	exponent, sign := point-1, byte('+')
	if exponent < 0 {
		exponent, sign = -exponent, '-'
	}
	return strconv.AppendInt(append(dst, 'e', sign), int64(exponent), 10)
}
