package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/proofs"
)

// readJSON reads the body of an administrative request strictly: a name that
// is not known, or in other letters, is an error.
func (c *call) readJSON(into any) error {
	contentType, err := c.header("Content-Type")
	if err != nil {
		return err
	}
	base, _, err := parseMediaType(contentType)
	if err != nil {
		return err
	}
	if base != jsonType {
		return client.NewProblem(client.UnsupportedType, "this takes application/json", "")
	}
	body, err := c.readBody()
	if err != nil {
		return err
	}
	if err := proofs.CheckJSON(body); err != nil {
		return badRequest("%v", err)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err = d.Decode(into)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return badRequest("%q cannot be a JSON %s", wrong.Field, wrong.Value)
	}
	if err != nil {
		return badRequest("%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return exactNames(body)
}

// exactNames refuses names that are not spelt as ours are, in small letters:
// encoding/json takes NAME for name, and whoever looked at the request before
// took it for another.
func exactNames(body []byte) error {
	var document any
	if err := json.Unmarshal(body, &document); err != nil {
		return badRequest("the body is not JSON")
	}
	return exactNamesIn(document)
}

func exactNamesIn(v any) error {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") != "" {
				return badRequest("there is no %.40q here: names are in small letters", name)
			}
			if err := exactNamesIn(inner); err != nil {
				return err
			}
		}
	case []any:
		for _, inner := range v {
			if err := exactNamesIn(inner); err != nil {
				return err
			}
		}
	}
	return nil
}

// Recorded says which entry a change of the settings is.
type Recorded struct {
	Index uint64 `json:"index"`
}

func (a *API) streams(c *call) error {
	return c.json(http.StatusOK, orEmpty(a.ledger.Streams()))
}

func (a *API) classes(c *call) error {
	return c.json(http.StatusOK, orEmpty(a.ledger.Classes()))
}

func (a *API) addStream(c *call) error {
	var s ledger.StreamConfig
	if err := c.readJSON(&s); err != nil {
		return err
	}
	index, err := c.session().AddStream(c.Context(), s)
	if err != nil {
		return err
	}
	return c.json(http.StatusCreated, Recorded{index})
}

func (a *API) setStream(c *call) error {
	var s ledger.StreamConfig
	if err := c.readJSON(&s); err != nil {
		return err
	}
	if name := c.PathValue("stream"); s.Name == "" {
		s.Name = name
	} else if s.Name != name {
		return badRequest("the path names another stream than the body")
	}
	if err := c.maySetStream(s); err != nil {
		return err
	}
	index, requested, err := c.session().SetStream(c.Context(), s)
	if err != nil {
		return err
	}
	return c.changed(index, requested)
}

func (a *API) addClass(c *call) error {
	var class ledger.ClassConfig
	if err := c.readJSON(&class); err != nil {
		return err
	}
	index, err := c.session().AddClass(c.Context(), class)
	if err != nil {
		return err
	}
	return c.json(http.StatusCreated, Recorded{index})
}

// A Status is how the ledger is, and what somebody decided about payloads and
// is not over.
type Status struct {
	ledger.Status
	ledger.Pending
}

func (a *API) status(c *call) error {
	return c.json(http.StatusOK, Status{a.ledger.Status(), a.ledger.Pending()})
}
