package contract

import (
	"encoding/base64"
	"encoding/binary"
	"net/http"
)

// Page is what a route that answers with a list takes: how much of it, and from
// where on.
type Page struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"How many entries to answer with."`
	Cursor string `query:"cursor" maxLength:"64" doc:"The next of the page before this one; the first page has none."`
}

// Before returns the id before which the page begins, and 0 for the first page.
func (p Page) Before() (int64, error) {
	if p.Cursor == "" {
		return 0, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err != nil || len(raw) != 8 || int64(binary.BigEndian.Uint64(raw)) <= 0 {
		problem := Refuse(http.StatusUnprocessableEntity, "invalid", "validation failed")
		problem.Errors = []Fault{{Location: "query.cursor", Message: "not a cursor that the api has given"}}
		return 0, problem
	}
	return int64(binary.BigEndian.Uint64(raw)), nil
}

// Next returns the cursor of what follows after the entry of an id, and "" where
// a page of so many entries was the last: it has fewer than were asked for.
func (p Page) Next(entries int, id int64) string {
	if entries < p.Limit {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, uint64(id)))
}
