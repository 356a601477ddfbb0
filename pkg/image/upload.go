package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// progressLeast is how many further bytes have to arrive before an upload that breaks
// off over and over is as patient as a new one.
const progressLeast = 256 << 10

// errElsewhere says that a registry wants a blob sent to another host.
var errElsewhere = errors.New("the registry takes blobs at another address")

// upload is a blob on its way into a repository. What breaks off goes on from what the
// registry says it has, which the digest proves in the end. Where it does not say, or
// does not go on, the blob is sent from its start.
type upload struct {
	to     *blobs
	digest v1.Hash
	size   int64
	open   func(at int64) (io.ReadCloser, error)
	from   *name.Repository // has the blob already; nil: none is known

	session *url.URL // where the registry takes what is missing; nil: nowhere yet
	at      int64    // what the registry has, as far as it said
	refused int64    // where it did not let the session go on
	best    int64    // the most that it ever had when the patience began
	tries   remote.Backoff
}

// run sends the blob, unless the repository has it.
func (u *upload) run(ctx context.Context) error {
	u.tries = u.to.patience
	return patiently(ctx, &u.tries, brokeOff, func() error { return u.try(ctx) })
}

// brokeOff is true for what may go well another time. A registry has answered before
// this, so that a line that leads nowhere is one that was lost.
func brokeOff(err error) bool {
	var line *url.Error
	var said *transport.Error
	var useless *uselessError
	if errors.As(err, &said) {
		return said.Temporary() || errors.As(err, &useless)
	}
	return errors.As(err, &line)
}

// uselessError says that a registry did not take the rest of a blob.
type uselessError struct{ error }

func (e *uselessError) Unwrap() error { return e.error }

// refusal is the status by which a registry said that a session is of no use, and not that
// it has no time now.
func refusal(err error) int {
	var said *transport.Error
	if !errors.As(err, &said) || said.StatusCode >= http.StatusInternalServerError || said.StatusCode == http.StatusTooManyRequests {
		return 0
	}
	return said.StatusCode
}

// try goes on with what was begun, or begins.
func (u *upload) try(ctx context.Context) error {
	if u.session != nil {
		if err := u.ask(ctx); err != nil {
			return err
		}
	}
	if u.session == nil {
		if there, err := u.begin(ctx); there || err != nil {
			return err
		}
	}
	goesOn := u.at > 0
	err := u.send(ctx)
	if err == nil {
		err = u.commit(ctx)
	}
	status := refusal(err)
	if !goesOn || status == 0 {
		return err
	}
	if u.refused = u.at; status != http.StatusRequestedRangeNotSatisfiable {
		u.session = nil
	}
	return &uselessError{err}
}

// begin asks for a session, unless the repository has the blob or is given it by another.
func (u *upload) begin(ctx context.Context) (there bool, err error) {
	if there, err := u.to.has(ctx, u.digest); there || err != nil {
		return there, err
	}
	address := u.to.repo.Scheme() + "://" + u.to.repo.RegistryStr() + u.to.path() + "uploads/"
	var got answer
	if u.from != nil {
		query := url.Values{"mount": {u.digest.String()}, "from": {u.from.RepositoryStr()}}
		got, err = u.do(ctx, http.MethodPost, address+"?"+query.Encode(), 0, http.StatusCreated, http.StatusAccepted)
	}
	if u.from == nil || err != nil { // who may not read the other repository sends the blob
		got, err = u.do(ctx, http.MethodPost, address, 0, http.StatusAccepted)
	}
	if err != nil || got.status == http.StatusCreated {
		return err == nil, err
	}
	u.at, u.refused = 0, 0
	return false, u.follow(got)
}

// ask learns how much of the blob has arrived. A registry that does not say, says more
// than there is, or did not go on from there, has no session that could go on. One whose
// parts were still arriving when it was asked says something else now.
func (u *upload) ask(ctx context.Context) error {
	got, err := u.do(ctx, http.MethodGet, u.session.String(), 0, http.StatusNoContent, http.StatusOK, http.StatusAccepted)
	if refusal(err) != 0 {
		u.session = nil
		return nil
	}
	if err != nil {
		return err
	}
	var last int64
	// A session that has nothing says 0-0, too.
	if _, err := fmt.Sscanf(strings.TrimPrefix(got.header.Get("Range"), "bytes="), "0-%d", &last); err != nil || last < 1 || last >= u.size || last+1 == u.refused {
		u.session = nil
		return nil
	}
	u.at = last + 1
	if u.at-u.best >= progressLeast {
		u.best, u.tries = u.at, u.to.patience
	}
	if got.header.Get("Location") == "" {
		return nil
	}
	return u.follow(got)
}

// send sends what is missing.
func (u *upload) send(ctx context.Context) error {
	if u.at == u.size && u.size > 0 {
		return nil
	}
	got, err := u.do(ctx, http.MethodPatch, u.session.String(), u.size-u.at, http.StatusAccepted, http.StatusNoContent, http.StatusCreated)
	if err != nil {
		return err
	}
	return u.follow(got)
}

// commit has the registry take the blob for what it is, which it does of one that has
// the digest.
func (u *upload) commit(ctx context.Context) error {
	address := *u.session
	query := address.Query()
	query.Set("digest", u.digest.String())
	address.RawQuery = query.Encode()
	_, err := u.do(ctx, http.MethodPut, address.String(), 0, http.StatusCreated)
	return err
}

// follow goes where the registry says the session goes on.
func (u *upload) follow(got answer) error {
	location := got.header.Get("Location")
	if location == "" {
		return errors.New("the registry does not say where it takes a blob: no Location in its answer")
	}
	next, err := got.from.Parse(location)
	if err != nil {
		return err
	}
	if next.Host != got.from.Host {
		return errElsewhere
	}
	u.session = next
	return nil
}

// answer is what a registry says, without the body.
type answer struct {
	status int
	header http.Header
	from   *url.URL
}

// do makes a request, with the bytes of the blob from u.at on where there are any to
// send.
func (u *upload) do(ctx context.Context, method, address string, bytes int64, want ...int) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, http.NoBody)
	if err != nil {
		return answer{}, err
	}
	if method != http.MethodGet {
		req.Header.Set("Content-Type", "application/octet-stream")
	}
	if bytes > 0 {
		if req.Body, err = u.rest(); err != nil {
			return answer{}, err
		}
		req.GetBody, req.ContentLength = u.rest, bytes
		if u.at > 0 {
			req.Header.Set("Content-Range", fmt.Sprintf("%d-%d", u.at, u.size-1))
		}
	}
	client := u.to.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return errElsewhere }
	resp, err := client.Do(req)
	if errors.Is(err, errElsewhere) {
		return answer{}, errElsewhere
	}
	if err != nil {
		var line *url.Error
		if errors.As(err, &line) { // whose address may be signed, and is long
			line.URL, _, _ = strings.Cut(line.URL, "?")
		}
		return answer{}, err
	}
	defer resp.Body.Close()
	if err := transport.CheckError(resp, want...); err != nil {
		return answer{}, err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)) // so that its connection can be used again
	return answer{resp.StatusCode, resp.Header, resp.Request.URL}, err
}

// rest reads the blob from u.at on.
func (u *upload) rest() (io.ReadCloser, error) { return u.open(u.at) }
