package query_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client/query"
)

// A slowValue is a value by way of math/big, net/netip and time.
type slowValue struct {
	class   query.Class
	number  *big.Rat
	network netip.Prefix
	seconds *big.Rat
	text    string
}

var (
	slowNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
	slowTime   = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d)(?::(\d\d)(\.\d+)?)?(?:([Zz])|([+-](?:[01]\d|2[0-3]):[0-5]\d))?)?$`)
)

// newSlowValue returns false for numbers whose exponent is too large for it.
func newSlowValue(text string) (slowValue, bool) {
	v := slowValue{class: query.Text, text: text}
	if slowNumber.MatchString(text) {
		v.class = query.Number
		if at := strings.IndexAny(text, "eE"); at >= 0 {
			if exponent, err := strconv.Atoi(text[at+1:]); err != nil || exponent < -1000 || exponent > 1000 {
				return v, false
			}
		}
		v.number, _ = new(big.Rat).SetString(text)
		return v, true
	}
	address, err := netip.ParseAddr(text)
	v.network = netip.PrefixFrom(address.WithZone(""), address.BitLen())
	if strings.Contains(text, "/") {
		v.network, err = netip.ParsePrefix(text)
	}
	if err == nil {
		v.class = query.Address
		if a := v.network.Masked(); a.Addr().Is4In6() && a.Bits() >= 96 {
			v.network = netip.PrefixFrom(a.Addr().Unmap(), a.Bits()-96)
		}
		v.network = v.network.Masked()
		return v, true
	}
	if seconds := slowSeconds(text); seconds != nil {
		v.class, v.seconds = query.Time, seconds
	}
	return v, true
}

// slowSeconds returns a time in seconds since 1970, or nil.
func slowSeconds(text string) *big.Rat {
	m := slowTime.FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	clock, seconds := cmp.Or(m[2], "00:00"), cmp.Or(m[3], "00")
	leap := int64(0)
	if seconds == "60" {
		seconds, leap = "59", 1
	}
	t, err := time.Parse(time.RFC3339, m[1]+"T"+clock+":"+seconds+cmp.Or(m[6], "Z"))
	if err != nil {
		return nil
	}
	sum := new(big.Rat).SetInt64(t.Unix() + leap)
	if m[4] != "" {
		fraction, _ := new(big.Rat).SetString("0" + m[4])
		sum.Add(sum, fraction)
	}
	return sum
}

func (v slowValue) compare(w slowValue) (int, bool) {
	if v.class != w.class {
		return 0, false
	}
	switch v.class {
	case query.Number:
		return v.number.Cmp(w.number), true
	case query.Address:
		return cmp.Or(v.network.Addr().Compare(w.network.Addr()), cmp.Compare(v.network.Bits(), w.network.Bits())), true
	case query.Time:
		return v.seconds.Cmp(w.seconds), true
	}
	return strings.Compare(v.text, w.text), true
}

// someValue returns a value of any class, often near to others.
func someValue(r *rand.Rand) string {
	switch r.IntN(9) {
	case 0:
		return strconv.FormatInt(int64(r.Uint64())>>r.IntN(64), 10)
	case 1:
		return fmt.Sprintf("%d.%0*d", r.IntN(40)-20, 1+r.IntN(20), r.IntN(200))
	case 2:
		return fmt.Sprintf("%d.%de%d", r.IntN(21)-10, r.IntN(30), r.IntN(90)-45)
	case 3:
		return fmt.Sprintf("%d.0.%d.%d", r.IntN(13), r.IntN(3), r.IntN(12))
	case 4:
		return fmt.Sprintf("%d.%d.0.0/%d", r.IntN(13), r.IntN(2), r.IntN(33))
	case 5:
		return pick(r, "::", "::1", "fe80::1%eth0", "::ffff:", "::ffff:0.0.0.0") + pick(r, "", "1", "/0", "/97", "/128", ".1", "::")
	case 6:
		return fmt.Sprintf("2026-%02d-%02d", 1+r.IntN(13), 1+r.IntN(31)) + pick(r, "", "T00:00Z", " 23:59:60", "t01:00:00.1+01:00", "T00:00:00.10000000001", "T24:00", "T00:00+24:00", "T00:00-00:01", "T", "T00:00:0", "T00:00.5")
	case 7:
		return pick(r, "", "a", "ab", "A", "-", "+1", "007", "1.", ".5", "1e", "1e+", "0x1", "1 ", "-0", "0e9", "NaN", "1e1000000000", "1e1000000001", "1_0", "dead", "é")
	}
	return strings.Repeat(pick(r, "1", "0", "9"), r.IntN(60)) + pick(r, "1", "", "5")
}

func TestCompareLikeBigNumbersAddressesAndTimes(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2))
	for range 50_000 {
		checkCompare(t, someValue(r), someValue(r))
	}
}

func checkCompare(t *testing.T, a, b string) {
	t.Helper()
	v, known := newSlowValue(a)
	if !known {
		return
	}
	if got := query.ClassOf(a); got != v.class {
		t.Fatalf("%q is of class %d, want %d", a, got, v.class)
	}
	w, known := newSlowValue(b)
	if !known {
		return
	}
	got, ok := query.Compare(a, b)
	if want, wantOK := v.compare(w); got != want || ok != wantOK {
		t.Fatalf("%q and %q compare as %d, %v, want %d, %v", a, b, got, ok, want, wantOK)
	}
	k, l := query.AppendKey(nil, a), query.AppendKey([]byte("x"), b)[1:]
	if ok && got != bytes.Compare(k, l) {
		t.Fatalf("%q and %q have the keys %x and %x", a, b, k, l)
	}
	if k[0] != byte(v.class) || v.class == query.Text && string(k[1:]) != a {
		t.Fatalf("%q has the key %x", a, k)
	}
	if v.class != query.Text && !bytes.Equal(k, l) && bytes.HasPrefix(l, k) {
		t.Fatalf("the key %x of %q is the beginning of the key %x of %q", k, a, l, b)
	}
}

func TestRangesHaveTheKeysThatFit(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 3))
	for range 50_000 {
		f := query.Field{Name: "f", Op: pick(r, query.Less, query.LessEqual, query.Greater, query.GreaterEqual), Value: someValue(r)}
		value := someValue(r)
		order, ok := query.Compare(value, f.Value)
		want := ok && map[query.Op]bool{query.Less: order < 0, query.LessEqual: order <= 0, query.Greater: order > 0, query.GreaterEqual: order >= 0}[f.Op]
		first, end := f.KeyRange()
		key := query.AppendKey(nil, value)
		if got := bytes.Compare(first, key) <= 0 && bytes.Compare(key, end) < 0; got != want || f.Fits(value) != want {
			t.Fatalf("%s: the key of %q is in its range: %v, it fits: %v, want %v", query.Format(f), value, got, f.Fits(value), want)
		}
	}
}

func TestNetworksHaveTheKeysOfWhatIsInThem(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for range 50_000 {
		outer, known := newSlowValue(someValue(r))
		inner, _ := newSlowValue(someValue(r))
		if !known || outer.class != query.Address || inner.class != query.Address {
			continue
		}
		f := query.Field{Name: "f", Op: query.Within, Value: outer.network.String()}
		want := outer.network.Contains(inner.network.Addr()) && outer.network.Bits() <= inner.network.Bits()
		if got := f.Fits(inner.network.String()); got != want {
			t.Fatalf("%s is in %s: got %v", inner.network, outer.network, got)
		}
	}
	if (query.Field{Name: "f", Op: query.Within, Value: "no network"}).Fits("10.0.0.1") {
		t.Error("an address is in what is no network")
	}
}

func FuzzCompare(f *testing.F) {
	for _, v := range ordered() {
		for _, a := range slices.Concat(v.Rising, v.Equal) {
			f.Add(a, v.Name)
			f.Add(a, a+"0")
		}
	}
	f.Fuzz(func(t *testing.T, a, b string) { checkCompare(t, a, b) })
}

func BenchmarkAppendKey(b *testing.B) {
	for _, value := range []string{"5158", "-1.5", "10.0.0.1", "2026-01-01T10:00:00.25Z", "arn:aws:iam::123456789123:user/pedro", "alice"} {
		b.Run(value, func(b *testing.B) {
			key := make([]byte, 0, 64)
			b.ReportAllocs()
			for b.Loop() {
				key = query.AppendKey(key[:0], value)
			}
		})
	}
}
