package query

import (
	"fmt"
	"net/netip"
	"strings"
)

// foreign says what to write for a value as other languages write it. Without quotes it is
// refused: as the value that it is it would fit nothing, and nobody would know why.
func (p *parser) foreign(h *head, l literal) error {
	if length, first, last := bracketRange(p.text[l.offset:]); length > 0 {
		return p.fail(l.offset, length, "ranges are not written in brackets", fmt.Sprintf("write %s>=%s %s<=%s", h.text, first, h.text, last))
	}
	if first, last, ok := dottedRange(l.text); ok {
		return p.fail(l.offset, l.length, "only indices have ranges with ..", fmt.Sprintf("write %s>=%s %s<=%s, or put it in double quotes if it is a value", h.text, first, h.text, last))
	}
	if bits, ok := noNetwork(l.text); ok {
		return p.fail(l.offset, len(l.text), "there is no such network", fmt.Sprintf("the addresses of a network have at most %d bits in common; put it in double quotes if it is a value", bits))
	}
	return nil
}

// isForeign reports whether a value stands in quotes because [parser.foreign] would
// refuse it.
func isForeign(value string) bool {
	_, _, isRange := dottedRange(value)
	_, isNetwork := noNetwork(value)
	return isRange || isNetwork
}

// bracketRange finds a range such as [a TO b] at the beginning of a text.
func bracketRange(text string) (length int, first, last string) {
	end := strings.IndexAny(text, "]}")
	if end < 0 || text[0] != '[' && text[0] != '{' {
		return 0, "", ""
	}
	words := strings.Fields(text[1:end])
	if len(words) != 3 || words[1] != "TO" {
		return 0, "", ""
	}
	return end + 1, words[0], words[2]
}

// dottedRange reads a range such as 4000..5000.
func dottedRange(value string) (first, last string, ok bool) {
	first, last, ok = strings.Cut(value, "..")
	return first, last, ok && beginsWithDigit(first) && beginsWithDigit(last)
}

func beginsWithDigit(text string) bool { return text != "" && '0' <= text[0] && text[0] <= '9' }

// noNetwork reports whether a value would be a network if addresses had as many bits,
// and how many they have.
func noNetwork(value string) (bits int, ok bool) {
	text, length, ok := strings.Cut(value, "/")
	addr, err := netip.ParseAddr(text)
	if !ok || err != nil || length == "" || strings.Trim(length, "0123456789") != "" {
		return 0, false
	}
	_, err = netip.ParsePrefix(value)
	return addr.BitLen(), err != nil
}
