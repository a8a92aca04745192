package proofs

import "fmt"

// An AdministrationBody is the body of an administration entry. An ordinary
// one has none, which is the zero value: what was done is in the payload, an
// [Act]. Where two custodians have to want something, exactly one of the three
// is set:
//
//	struct {
//	    uint8 what;                     /* 1 request, 2 approval, 3 withdrawal */
//	    select (what) {
//	        case 1: Request;
//	        case 2: Answer;
//	        case 3: Answer;
//	    };
//	} AdministrationBody;               /* or no bytes at all */
//
// So an auditor sees without keys that two identities wanted what was done,
// and when.
type AdministrationBody struct {
	Request    *RequestBody
	Approval   *AnswerBody // of what was requested
	Withdrawal *AnswerBody // of a request or an approval, by whom it was made
}

// A RequestBody asks for what one custodian alone must not do. It allows one
// act, whose body names the index of this entry: [SettingsBody], [ErasedBody]
// or [ReleasedBody]. What exactly is asked for is in the payload.
//
//	struct {
//	    Kind   kind;                    /* settings, erasure or release */
//	    uint64 by;
//	} Request;
type RequestBody struct {
	Kind Kind // of the entry that it asks for

	// By is a pseudonym of an identity: the same for the life of the ledger,
	// and another one than that of any other identity.
	By uint64
}

// An AnswerBody approves or withdraws what was requested.
//
//	struct {
//	    uint64 request;                 /* index of the entry that asked, from 1 */
//	    uint64 by;
//	} Answer;
type AnswerBody struct {
	Request uint64
	By      uint64 // as in a RequestBody
}

const (
	isRequest    = 1
	isApproval   = 2
	isWithdrawal = 3
)

// FormatAdministration returns the canonical bytes of the body: none for an
// ordinary one.
func FormatAdministration(a AdministrationBody) ([]byte, error) {
	var b []byte
	set := 0
	if a.Request != nil {
		set, b = set+1, appendUint64s([]byte{isRequest, byte(a.Request.Kind)}, a.Request.By)
	}
	if a.Approval != nil {
		set, b = set+1, appendUint64s([]byte{isApproval}, a.Approval.Request, a.Approval.By)
	}
	if a.Withdrawal != nil {
		set, b = set+1, appendUint64s([]byte{isWithdrawal}, a.Withdrawal.Request, a.Withdrawal.By)
	}
	if set > 1 {
		return nil, fmt.Errorf("%w: administration: more than one of request, approval and withdrawal is set", ErrMalformed)
	}
	if _, err := ParseAdministration(b); err != nil {
		return nil, err
	}
	return b, nil
}

// ParseAdministration reads what [FormatAdministration] writes and nothing else.
func ParseAdministration(b []byte) (AdministrationBody, error) {
	var a AdministrationBody
	if len(b) == 0 {
		return a, nil
	}
	d := decoder{format: "administration", rest: b}
	switch d.uint8("what") {
	case isRequest:
		a.Request = &RequestBody{Kind: Kind(d.uint8("kind")), By: d.uint64("by")}
		if k := a.Request.Kind; d.err == nil && k != Settings && k != Erasure && k != Release {
			d.fail("kind", "neither settings nor erasure nor release")
		}
	case isApproval:
		a.Approval = d.answer()
	case isWithdrawal:
		a.Withdrawal = d.answer()
	default:
		d.fail("what", "neither request nor approval nor withdrawal")
	}
	return a, d.end()
}

func (d *decoder) answer() *AnswerBody {
	a := &AnswerBody{Request: d.uint64("request"), By: d.uint64("by")}
	if d.err == nil && a.Request == 0 {
		d.fail("request", "entry 0 asked for nothing")
	}
	return a
}
