package client

import (
	"errors"
	"fmt"
	"mime"
	"strings"
)

// NormalizeMediaType returns a media type (RFC 9110 §8.3.1) in the one spelling
// that is recorded: names in lower case, parameters in their order, quotes only
// where they must be. Empty stands for application/json. JSON, and lines of it,
// are UTF-8 (RFC 8259 §8.1), so that they need no parameter to say so. The error
// is an [UnsupportedType] problem, for what is no media type, for JSON in
// another charset, and for more than 255 bytes.
func NormalizeMediaType(value string) (string, error) {
	if value == "" {
		return jsonType, nil
	}
	base, params, err := mime.ParseMediaType(value)
	if err != nil || !isMediaType(base) {
		return "", NewProblem(UnsupportedType, fmt.Sprintf("%.80q is not a media type", value), "")
	}
	charset, given := params["charset"]
	if given && (isJSONType(base) || base == linesType || base == "application/ndjson") {
		if !strings.EqualFold(charset, "utf-8") {
			return "", NewProblem(UnsupportedType, fmt.Sprintf("JSON in %.40q is not taken", charset), "send it in UTF-8")
		}
		delete(params, "charset")
	}
	full := mime.FormatMediaType(base, params)
	if full == "" || len(full) > maxEventName {
		return "", NewProblem(UnsupportedType, "the media type is too long or cannot be written", "")
	}
	return full, nil
}

// IsJSON reports whether events of a media type are JSON, from which a ledger
// reads declared fields and a verifier their tags: application/json and what
// ends in +json (RFC 6839 §3.1), in any spelling and with any parameters. Empty
// stands for application/json.
func IsJSON(mediaType string) bool {
	base, _, err := mime.ParseMediaType(mediaType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) { // of which the rest is still known
		return mediaType == ""
	}
	return isJSONType(base)
}

// isMediaType reports whether a name has a type and a subtype.
func isMediaType(base string) bool {
	typ, subtype, ok := strings.Cut(base, "/")
	return ok && typ != "" && subtype != ""
}

func isJSONType(base string) bool {
	return base == jsonType || isMediaType(strings.TrimSuffix(base, "+json")) && strings.HasSuffix(base, "+json")
}
