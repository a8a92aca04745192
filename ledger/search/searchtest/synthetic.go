package searchtest

import (
	"bytes"
	"iter"
	"math/bits"
	"math/rand/v2"
	"strconv"
	"time"
)

const (
	began    = 1_767_225_600_000_000 // 2026-01-01T00:00:00Z, in µs
	longest  = 2_000_000             // µs from an event to the next; the mean is half of it
	sessions = 256                   // at the same time
	calls    = 20                    // events of a session, on average
	wordsOf  = 12                    // a text
)

// Declared returns the declarations of the synthetic events' fields.
func Declared() []Declaration {
	return []Declaration{
		{"actor", "$.actor", String},
		{"action", "$.action", String},
		{"outcome", "$.outcome", String},
		{"resource", "$.resource", String},
		{"address", "$.address", String},
		{"user_agent", "$.user_agent", String},
		{"region", "$.region", String},
		{"service", "$.service", String},
		{"session", "$.session", String},
		{"status", "$.status", Number},
		{"host", "$.host", String},
		{"request_id", "$.request_id", String},
		{"duration_ms", "$.duration_ms", Number},
	}
}

// Documents makes the first n synthetic events of a seed, one each second on
// average.
func Documents(seed uint64, n int) iter.Seq[Document] {
	return func(yield func(Document) bool) {
		m := &maker{world: newWorld(), random: rand.NewPCG(seed, 470), clock: began}
		for i := range m.sessions {
			m.sessions[i] = m.begin()
		}
		for range n {
			if !yield(m.next()) {
				return
			}
		}
	}
}

// A maker makes one event after the other.
type maker struct {
	*world
	random   *rand.PCG
	clock    uint64 // µs since 1970
	sessions [sessions]session
	buf      []byte // the event that is being made
}

// A session is what events of one person at one time have in common.
type session struct {
	id, actor, address, agent string
	region                    int
}

func (m *maker) begin() session {
	return session{
		id:      string(appendHex(nil, m.random.Uint64(), 12)),
		actor:   m.actors[m.actor.draw(m.random.Uint64())],
		address: m.addresses[m.address.draw(m.random.Uint64())],
		agent:   m.agents[m.agent.draw(m.random.Uint64())],
		region:  below(m.random, len(m.regions)),
	}
}

// next makes the next event.
func (m *maker) next() Document {
	m.clock += 1 + uint64(below(m.random, longest))
	slot := &m.sessions[below(m.random, sessions)]
	s := *slot
	if below(m.random, calls) == 0 {
		*slot = m.begin()
	}
	o := m.outcomes[m.outcome.draw(m.random.Uint64())]
	st := o.status[below(m.random, len(o.status))]
	hosts := m.hosts[s.region]
	fields := make([]Field, 0, 13)
	fields = append(fields,
		Field{Name: "actor", Kind: String, Value: s.actor},
		Field{Name: "action", Kind: String, Value: m.actions[m.action.draw(m.random.Uint64())]},
		Field{Name: "outcome", Kind: String, Value: o.name},
		Field{Name: "resource", Kind: String, Value: m.resources[m.resource.draw(m.random.Uint64())]},
		Field{Name: "address", Kind: String, Value: s.address},
		Field{Name: "user_agent", Kind: String, Value: s.agent},
		Field{Name: "region", Kind: String, Value: m.regions[s.region]},
		Field{Name: "service", Kind: String, Value: m.services[m.service.draw(m.random.Uint64())]},
		Field{Name: "session", Kind: String, Value: s.id},
		Field{Name: "status", Kind: Number, Value: st.text, Number: st.number},
		Field{Name: "host", Kind: String, Value: hosts[below(m.random, len(hosts))]},
	)
	return m.finish(fields)
}

// finish writes the event and adds the two fields that are its own.
func (m *maker) finish(fields []Field) Document {
	b := append(m.buf[:0], `{"time":"`...)
	b = time.UnixMicro(int64(m.clock)).UTC().AppendFormat(b, "2006-01-02T15:04:05.000000Z")
	b = append(b, '"')
	for _, f := range fields {
		b = appendField(b, f)
	}
	b = append(b, `,"request_id":"`...)
	own := len(b)
	b = appendHex(appendHex(b, m.random.Uint64(), 8), m.random.Uint64(), 16)
	b = append(b, `","duration_ms":`...)
	duration := len(b)
	b, ms := m.appendDuration(b)
	text := len(b) + len(`,"message":"`)
	b = append(b, `,"message":"`...)
	for range wordsOf {
		b = append(append(b, m.words[m.word.draw(m.random.Uint64())]...), ' ')
	}
	end := len(b) - 1
	m.buf = append(b[:end], `"}`...)

	// One string holds all that no other event has.
	s := string(b[own:end])
	fields = append(fields,
		Field{Name: "request_id", Kind: String, Value: s[:24]},
		Field{Name: "duration_ms", Kind: Number, Value: s[duration-own : text-len(`,"message":"`)-own], Number: ms},
	)
	return Document{Time: m.clock, JSON: bytes.Clone(m.buf), Fields: fields, Text: s[text-own:]}
}

// appendField appends a member of an object. Values need no escapes.
func appendField(b []byte, f Field) []byte {
	b = append(append(append(b, `,"`...), f.Name...), `":`...)
	if f.Kind == Number {
		return append(b, f.Value...)
	}
	return append(append(append(b, '"'), f.Value...), '"')
}

// appendDuration appends between 0.128 and 4194.303 ms, in µs; most are in the
// middle of the powers of two between. It returns the number too.
func (m *maker) appendDuration(b []byte) ([]byte, float64) {
	power := 7 + below(m.random, 8) + below(m.random, 8)
	us := 1<<power + below(m.random, 1<<power)
	b = strconv.AppendInt(b, int64(us/1000), 10)
	if rest := us % 1000; rest > 0 {
		b = append(b, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
		b = bytes.TrimRight(b, "0")
	}
	return b, float64(us) / 1000
}

// appendHex appends the lowest digits of v.
func appendHex(b []byte, v uint64, digits int) []byte {
	v = bits.RotateLeft64(v, 64-4*digits)
	for range digits {
		v = bits.RotateLeft64(v, 4)
		b = append(b, "0123456789abcdef"[v&15])
	}
	return b
}
