package proofs_test

import (
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// rfc8785Numbers are the samples of RFC 8785 Appendix B: the bits of a double
// and its form, which for NaN and Infinity does not exist.
var rfc8785Numbers = []struct{ bits, text string }{
	{"0000000000000000", "0"},
	{"8000000000000000", "0"},
	{"0000000000000001", "5e-324"},
	{"8000000000000001", "-5e-324"},
	{"7fefffffffffffff", "1.7976931348623157e+308"},
	{"ffefffffffffffff", "-1.7976931348623157e+308"},
	{"4340000000000000", "9007199254740992"},
	{"c340000000000000", "-9007199254740992"},
	{"4430000000000000", "295147905179352830000"},
	{"7fffffffffffffff", ""},
	{"7ff0000000000000", ""},
	{"44b52d02c7e14af5", "9.999999999999997e+22"},
	{"44b52d02c7e14af6", "1e+23"},
	{"44b52d02c7e14af7", "1.0000000000000001e+23"},
	{"444b1ae4d6e2ef4e", "999999999999999700000"},
	{"444b1ae4d6e2ef4f", "999999999999999900000"},
	{"444b1ae4d6e2ef50", "1e+21"},
	{"3eb0c6f7a0b5ed8c", "9.999999999999997e-7"},
	{"3eb0c6f7a0b5ed8d", "0.000001"},
	{"41b3de4355555553", "333333333.3333332"},
	{"41b3de4355555554", "333333333.33333325"},
	{"41b3de4355555555", "333333333.3333333"},
	{"41b3de4355555556", "333333333.3333334"},
	{"41b3de4355555557", "333333333.33333343"},
	{"becbf647612f3696", "-0.0000033333333333333333"},
	{"43143ff3c1cb0959", "1424953923781206.2"},
}

// numberValue returns the canonical value of a number.
func numberValue(t testing.TB, number string) string {
	t.Helper()
	values, err := proofs.ExtractFields([]byte(number), []proofs.Field{{Number: 1, Name: "f", Path: "$"}})
	if err != nil || len(values) != 1 {
		t.Fatalf("%s: %d values, %v", number, len(values), err)
	}
	return string(values[0].Value)
}

// A double's shortest digits, in whatever layout, come out as RFC 8785 has them.
func TestNumbersOfRFC8785(t *testing.T) {
	for _, n := range rfc8785Numbers {
		f := math.Float64frombits(must(strconv.ParseUint(n.bits, 16, 64)))
		if math.IsNaN(f) || math.IsInf(f, 0) {
			continue
		}
		wantEqual(t, n.bits, numberValue(t, strconv.FormatFloat(f, 'e', -1, 64)), n.text)
		wantEqual(t, n.bits, numberValue(t, strconv.FormatFloat(f, 'f', -1, 64)), n.text)
	}
}

// encoding/json prints doubles as ECMAScript does, but for -0.
func TestNumbersOfDoubles(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		f := math.Float64frombits(random.Uint64())
		if random.IntN(2) == 0 { // near the places where the layout changes
			f = random.Float64() * math.Pow10(random.IntN(40)-12)
		}
		if math.IsNaN(f) || math.IsInf(f, 0) {
			continue
		}
		want := string(must(json.Marshal(f)))
		wantEqual(t, "e", numberValue(t, strconv.FormatFloat(f, 'e', -1, 64)), want)
		wantEqual(t, "f", numberValue(t, strconv.FormatFloat(f, 'f', -1, 64)), want)
		wantEqual(t, "canonical", numberValue(t, want), want)
	}
}

// FuzzNumber holds that the canonical form of a number is a number equal to
// it, and that equal numbers have the same form.
func FuzzNumber(f *testing.F) {
	for _, n := range []string{"0", "-0.00", "1.50e3", "9007199254740993", "0.0000001", "123456789e-20", "1e21"} {
		f.Add(n, uint8(3))
	}
	f.Fuzz(func(t *testing.T, number string, shift uint8) {
		if !json.Valid([]byte(number)) || strings.TrimLeft(number[:1], "-0123456789") != "" || len(number) > 100 {
			return
		}
		if _, exponent, ok := strings.Cut(strings.ToLower(number), "e"); ok && len(exponent) > 4 {
			return // big.Rat would write out all its digits
		}
		number = strings.TrimRight(number, " \t\r\n")
		value, ok := new(big.Rat).SetString(number)
		if !ok {
			t.Fatalf("%q is no number", number)
		}
		canonical := numberValue(t, number)
		if again, ok := new(big.Rat).SetString(canonical); !ok || again.Cmp(value) != 0 {
			t.Fatalf("%s became %s, which is another number", number, canonical)
		}
		wantEqual(t, "the canonical form of the canonical form", numberValue(t, canonical), canonical)
		wantEqual(t, "the canonical form of an equal number", numberValue(t, shifted(value, int(shift))), canonical)
	})
}

// shifted writes a decimal number with an exponent of its own.
func shifted(value *big.Rat, exponent int) string {
	up := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(exponent)), nil))
	n := new(big.Rat).Mul(value, up)
	digits, _ := n.FloatPrec()
	return n.FloatString(digits+2) + "E-" + strconv.Itoa(exponent)
}
