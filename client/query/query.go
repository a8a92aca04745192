package query

// The bounds of a query.
const (
	MaxQuery   = 4096 // bytes, as it is given and as [Query.String] writes it
	MaxNesting = 32   // parentheses and negations within each other
	MaxTerms   = 128  // terms, those of a phrase being its words
)

// A Query is what [Parse] made of a text.
type Query struct {
	Expr Expr

	text  string
	names []fieldName // as they are in the text
	spans []span      // of what in Expr is no And, Or or Not, in their order
}

// An Expr is a condition that an entry fits or not: one of [All], [And], [Or],
// [Not], [Field], [Word], [Phrase], [After], [Before], [Indices], [Stream] and
// [Source]. [Parse] makes no And within an And, no Or within an Or, no Not of
// a Not, and no And or Or of fewer than two.
type Expr interface {
	expr()
}

// All fits every entry.
type All struct{}

// An And fits what fits each of its list.
type And struct{ List []Expr }

// An Or fits what fits any of its list.
type Or struct{ List []Expr }

// A Not fits what does not fit Of.
type Not struct{ Of Expr }

// A Field fits an entry if any value that the entry has there fits. Exactly one
// of Name and Path is set.
type Field struct {
	Name  string // of a declared field
	Path  string // into the payload, as [proofs.FormatPath] writes it
	Op    Op
	Value string // as [Op] says
}

// An Op says how the values of a [Field] are compared with its Value.
type Op uint8

// The operations. Value is a prefix in the form of [netip.Prefix.Masked] for
// Within, and empty for Present.
const (
	Equal        Op = 1 // the canonical value has the same bytes
	Prefix       Op = 2 // the canonical value begins with these bytes
	Present      Op = 3 // there is a value
	Less         Op = 4 // as [Compare] has it, as are the next three
	LessEqual    Op = 5
	Greater      Op = 6
	GreaterEqual Op = 7
	Within       Op = 8 // an address or network that is in a network
)

// A Word fits a payload that has the word, or one that begins so.
type Word struct {
	Text   string // as [Words] has them
	Prefix bool
}

// A Phrase fits a payload in which one value has the words one after the
// other. There are at least two.
type Phrase struct {
	Words  []string // as [Words] has them
	Prefix bool     // the last one only begins so
}

// After fits entries from a ledger time on.
type After struct{ Time uint64 } // microseconds since 1970

// Before fits entries before a ledger time.
type Before struct{ Time uint64 } // microseconds since 1970

// Indices fits the entries from the index First to Last, both of them too.
type Indices struct{ First, Last uint64 }

// Stream fits the entries of a stream.
type Stream struct{ Name string }

// Source fits the entries of a source.
type Source struct{ Name string }

func (All) expr()     {}
func (And) expr()     {}
func (Or) expr()      {}
func (Not) expr()     {}
func (Field) expr()   {}
func (Word) expr()    {}
func (Phrase) expr()  {}
func (After) expr()   {}
func (Before) expr()  {}
func (Indices) expr() {}
func (Stream) expr()  {}
func (Source) expr()  {}

// Conjunction returns an expression that fits what fits all of a list, in the form in
// which [Parse] makes it: [All] for none.
func Conjunction(list ...Expr) Expr {
	var all []Expr
	for _, e := range list {
		switch e := e.(type) {
		case All:
		case And:
			all = append(all, e.List...)
		default:
			all = append(all, e)
		}
	}
	switch len(all) {
	case 0:
		return All{}
	case 1:
		return all[0]
	}
	return And{all}
}

// Map returns an expression in which fn stands for each part of e that is no
// And, Or or Not. It leaves e as it is.
func Map(e Expr, fn func(Expr) Expr) Expr {
	switch e := e.(type) {
	case And:
		return And{mapList(e.List, fn)}
	case Or:
		return Or{mapList(e.List, fn)}
	case Not:
		return Not{Map(e.Of, fn)}
	}
	return fn(e)
}

func mapList(list []Expr, fn func(Expr) Expr) []Expr {
	mapped := make([]Expr, len(list))
	for i, e := range list {
		mapped[i] = Map(e, fn)
	}
	return mapped
}
