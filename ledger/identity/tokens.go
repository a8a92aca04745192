package identity

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/storage"
)

// Tokens are the bearer tokens of a ledger. They lie in one register, of each
// token only the SHA-256: who reads the register can use none of them.
type Tokens struct {
	register storage.Register
	now      func() time.Time
	random   io.Reader

	changes sync.Mutex // one at a time
	list    atomic.Pointer[tokenList]
}

// A TokensConfig is what tokens are made of.
type TokensConfig struct {
	Register storage.Register
	Clock    func() time.Time // nil: time.Now
	Rand     io.Reader        // nil: crypto/rand
}

// A tokenList is the value of the register and what it says. It never changes.
type tokenList struct {
	value []byte // nil: the register was never set
	file  tokensFile
	byID  map[string]*tokenRow
}

type tokenRow struct {
	Token
	Hash []byte `json:"hash"` // SHA-256 of the token
}

// tokensFile is the JSON that the register holds.
type tokensFile struct {
	Version int          `json:"version"`
	Tokens  []tokenRow   `json:"tokens"`
	Revoked []Revocation `json:"revoked,omitempty"`
}

const tokensVersion = 1

// revokedRoom is how many bytes of the register no token takes: whatever there
// is, tokens can be revoked, and it is known by whom.
const revokedRoom = 64 << 10

// OpenTokens reads the tokens of a register.
func OpenTokens(ctx context.Context, c TokensConfig) (*Tokens, error) {
	t := &Tokens{register: c.Register, now: c.Clock, random: c.Rand}
	if t.now == nil {
		t.now = time.Now
	}
	if t.random == nil {
		t.random = rand.Reader
	}
	if err := t.load(ctx); err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	return t, nil
}

func (t *Tokens) load(ctx context.Context) error {
	value, err := t.register.Load(ctx)
	if errors.Is(err, storage.ErrNotFound) {
		t.list.Store(&tokenList{})
		return nil
	}
	if err != nil {
		return err
	}
	list, err := parseTokens(value)
	if err == nil {
		t.list.Store(list)
	}
	return err
}

// parseTokens reads a register's value.
func parseTokens(value []byte) (*tokenList, error) {
	var file tokensFile
	d := json.NewDecoder(bytes.NewReader(value))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return nil, fmt.Errorf("%w: %w", storage.ErrCorrupt, err)
	}
	if file.Version != tokensVersion {
		return nil, fmt.Errorf("tokens of version %d need another cairnd", file.Version)
	}
	list := &tokenList{value: value, file: file, byID: make(map[string]*tokenRow)}
	for i := range file.Tokens {
		row := &file.Tokens[i]
		if len(row.Hash) != sha256.Size || list.byID[row.ID] != nil {
			return nil, fmt.Errorf("%w: token %q", storage.ErrCorrupt, row.ID)
		}
		list.byID[row.ID] = row
	}
	return list, nil
}

// A Token is what the ledger knows of a bearer token, which is not the token.
type Token struct {
	ID      string    `json:"id"`                // 16 hexadecimal digits
	Name    string    `json:"name"`              // who has it: the identity that entries record
	Role    Role      `json:"role"`              //
	Streams []string  `json:"streams,omitempty"` // of a writer or reader; [EveryStream] for all
	Created time.Time `json:"created"`           //
	Expires time.Time `json:"expires,omitzero"`  // zero: never
}

// Identity returns who has the token.
func (t Token) Identity() Identity {
	return Identity{Name: t.Name, Kind: ByToken, Credential: t.ID, Rights: []Right{{t.Role, t.Streams}}, Expires: t.Expires}
}

// A Grant says what a new token is for.
type Grant struct {
	Name    string    `json:"name"`              // who gets it: 1 to 128 visible ASCII characters, none of them a colon
	Role    Role      `json:"role"`              //
	Streams []string  `json:"streams,omitempty"` // of a writer or reader, one at least; [EveryStream] for all
	Expires time.Time `json:"expires,omitzero"`  // zero: never
}

// Issue makes a token and returns it: this is the only time that it is shown.
// Tokens of one name are of one identity: a new one replaces an old one
// without a change in what the ledger records.
func (t *Tokens) Issue(ctx context.Context, g Grant) (token string, about Token, err error) {
	now := t.now().UTC().Truncate(time.Second)
	if err := g.check(now); err != nil {
		return "", Token{}, err
	}
	b, err := newBearer(g.Role, t.random)
	if err != nil {
		return "", Token{}, fmt.Errorf("tokens: %w", err)
	}
	about = Token{ID: b.id, Name: g.Name, Role: g.Role, Streams: slices.Clone(g.Streams), Created: now, Expires: g.Expires.UTC()}
	hash := b.hash()
	err = t.change(ctx, storage.MaxRegister-revokedRoom, func(f *tokensFile) error {
		expired := func(r tokenRow) bool { return r.expired(now) }
		f.Tokens = append(slices.DeleteFunc(f.Tokens, expired), tokenRow{about, hash[:]})
		return nil
	})
	if err != nil {
		return "", Token{}, err
	}
	return b.format(), about, nil
}

func (g Grant) check(now time.Time) error {
	bad := func(format string, args ...any) error {
		return client.NewProblem(client.BadRequest, fmt.Sprintf(format, args...), "")
	}
	if err := checkTokenName(g.Name); err != nil {
		return bad("%v", err)
	}
	if err := (Right{g.Role, g.Streams}).check(); err != nil {
		return bad("%v", err)
	}
	if !g.Expires.IsZero() && !g.Expires.After(now) {
		return bad("the token would have expired at %s", g.Expires.UTC().Format(time.RFC3339))
	}
	if g.Expires.UTC().Year() > 9999 {
		return bad("a token expires in the year 9999 at the latest, or never")
	}
	return nil
}

// List returns what is known of all tokens, the oldest first.
func (t *Tokens) List() []Token {
	tokens := []Token{}
	for _, r := range t.list.Load().file.Tokens {
		tokens = append(tokens, r.Token)
	}
	return tokens
}

// Authenticate returns what is known of a token, and false for one that is
// malformed, unknown, revoked or expired.
func (t *Tokens) Authenticate(token string) (Token, bool) {
	about, outcome := t.find(token)
	if outcome != Known {
		return Token{}, false
	}
	return about, true
}

// find returns what is known of a token, also of one that has expired, and how
// that ended. It takes the whole token: who knows no more than its ID learns
// nothing of it.
func (t *Tokens) find(token string) (Token, Outcome) {
	b, err := parseBearer(token)
	if err != nil {
		return Token{}, Unknown
	}
	// An unknown ID takes the same steps: only the secret is worth guessing,
	// and it is compared as a whole, in constant time.
	row := t.list.Load().byID[b.id]
	known := row != nil
	if !known {
		row = &tokenRow{Hash: make([]byte, sha256.Size)}
	}
	hash := b.hash()
	same := subtle.ConstantTimeCompare(hash[:], row.Hash) == 1
	switch {
	case !known || !same:
		return Token{}, Unknown
	case row.expired(t.now()):
		return row.Token, Expired
	}
	return row.Token, Known
}

func (t Token) expired(now time.Time) bool { return !t.Expires.IsZero() && !now.Before(t.Expires) }

// change replaces what the register holds by what change makes of a copy of it,
// durably. It takes at most so many bytes.
func (t *Tokens) change(ctx context.Context, most int, change func(*tokensFile) error) error {
	t.changes.Lock()
	defer t.changes.Unlock()
	for {
		old := t.list.Load()
		f := tokensFile{Version: tokensVersion, Tokens: slices.Clone(old.file.Tokens), Revoked: slices.Clone(old.file.Revoked)}
		if err := change(&f); err != nil {
			return err
		}
		value, err := json.Marshal(f)
		if err != nil {
			return fmt.Errorf("tokens: %w", err)
		}
		if len(value) > most {
			return client.NewProblem(client.TooLarge, fmt.Sprintf("there is no room for more than %d tokens", len(old.file.Tokens)), "revoke those that are not needed, see: cairnd token list")
		}
		next, err := parseTokens(value)
		if err != nil {
			return fmt.Errorf("tokens: %w", err)
		}
		// Durable first: a token that was revoked must stay so after a crash.
		err = t.register.Swap(ctx, old.value, value)
		if err == nil {
			t.list.Store(next)
			return nil
		}
		if !errors.Is(err, storage.ErrConflict) {
			return fmt.Errorf("tokens: %w", err)
		}
		if err := t.load(ctx); err != nil {
			return fmt.Errorf("tokens: %w", err)
		}
	}
}
