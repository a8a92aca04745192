package proofs

import (
	"fmt"
	"slices"
)

// MaxNamed is how many custodians a ledger names at most.
const MaxNamed = 64

// A CustodiansBody names, from here on, whom a ledger takes for custodians where
// it wants two: who asks for something and who approves it are both among them.
// Before the first, and where it names nobody, any two identities will do.
type CustodiansBody struct {
	Named []uint64 // pseudonyms as in a RequestBody, rising; none, or 2 to MaxNamed
}

// Differs reports whether others are named than before. That takes two, where
// two are wanted: whoever could name custodians alone could be two of them.
func (c CustodiansBody) Differs(was CustodiansBody) bool { return !slices.Equal(c.Named, was.Named) }

// Takes reports whether an identity is one of the custodians.
func (c CustodiansBody) Takes(by uint64) bool {
	_, named := slices.BinarySearch(c.Named, by)
	return named || len(c.Named) == 0
}

// CustodiansSettings say which identities the custodians are; who has no key
// sees their pseudonyms in the clear body, [CustodiansBody].
type CustodiansSettings struct {
	Names []string `json:"names"` // rising
}

// ParseCustodiansSettings reads the payload of a settings entry that names
// custodians.
func ParseCustodiansSettings(payload []byte) (CustodiansSettings, error) {
	var s CustodiansSettings
	if err := parseOneForm(payload, &s); err != nil {
		return s, fmt.Errorf("%w: settings of custodians: %v", ErrMalformed, err)
	}
	return s, nil
}

func (d *decoder) custodians() *CustodiansBody {
	c := &CustodiansBody{}
	f := decoder{format: d.format, rest: d.vector("named", 2, 0, MaxNamed*8)}
	for len(f.rest) > 0 {
		by := f.uint64("named")
		if n := len(c.Named); f.err == nil && n > 0 && by <= c.Named[n-1] {
			f.fail("named", "does not rise")
		}
		c.Named = append(c.Named, by)
	}
	switch {
	case d.err != nil:
	case f.err != nil:
		d.err = f.err
	case len(c.Named) == 1:
		d.fail("named", "one custodian is not two")
	}
	return c
}
