package probe

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
)

// A question of the gRPC health protocol is one HTTP/2 request with a message
// of one field. It is spoken here by net/http, because the gRPC library would
// more than double the agent's program.

const (
	grpcPath = "/grpc.health.v1.Health/Check"
	// grpcServing is SERVING of HealthCheckResponse.ServingStatus.
	grpcServing = 1
	// grpcUnimplemented and grpcNotFound are status codes of gRPC.
	grpcUnimplemented = "12"
	grpcNotFound      = "5"
	// messageLimit bounds an answer, which has four bytes.
	messageLimit = 1 << 10
)

var grpcWords = map[uint64]string{0: "UNKNOWN", grpcServing: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}

func (a *Asker) grpcClient() *http.Client {
	var plain http.Protocols
	plain.SetUnencryptedHTTP2(true) // the kubelet asks without TLS, too
	return &http.Client{Transport: &http.Transport{DialContext: a.dial, Protocols: &plain, DisableKeepAlives: true}}
}

func (a *Asker) askGRPC(ctx context.Context) (Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+a.address()+grpcPath, bytes.NewReader(grpcQuestion(a.probe.Service)))
	if err != nil {
		return Answer{}, err
	}
	req.Header.Set("Content-Type", "application/grpc")
	req.Header.Set("TE", "trailers")
	req.Header.Set("User-Agent", UserAgent)
	res, err := a.client.Do(req)
	if err != nil {
		return Answer{}, bare(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, messageLimit))
	if err != nil {
		return Answer{}, err
	}
	if res.StatusCode != http.StatusOK {
		return Answer{}, Unready(res.Status)
	}
	if err := grpcVerdict(res, body); err != nil {
		return Answer{}, err
	}
	return Answer{Text: grpcWords[grpcServing]}, nil
}

// grpcQuestion is a HealthCheckRequest in its frame: a byte for "not
// compressed", the length, and field 1, the name of the service.
func grpcQuestion(service string) []byte {
	var message []byte
	if service != "" {
		message = binary.AppendUvarint([]byte{1<<3 | 2}, uint64(len(service)))
		message = append(message, service...)
	}
	frame := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))
	return append(frame, message...)
}

// grpcVerdict reads the status of the call and its HealthCheckResponse, of
// which field 1 is the answer.
func grpcVerdict(res *http.Response, body []byte) error {
	status := res.Trailer.Get("Grpc-Status")
	detail := res.Trailer.Get("Grpc-Message")
	if status == "" { // without a message they come as headers
		status, detail = res.Header.Get("Grpc-Status"), res.Header.Get("Grpc-Message")
	}
	switch status {
	case "0":
	case grpcUnimplemented:
		return Unready("the server does not have grpc.health.v1.Health")
	case grpcNotFound:
		return Unready("it knows no such service: " + detail)
	default:
		return Unready(fmt.Sprintf("it answered with gRPC status %q: %s", status, detail))
	}
	serving := uint64(0) // a message without the field says UNKNOWN
	const header = 5
	if len(body) > header+1 && body[header] == 1<<3 {
		serving, _ = binary.Uvarint(body[header+1:])
	}
	if serving != grpcServing {
		word, ok := grpcWords[serving]
		if !ok {
			word = fmt.Sprint(serving)
		}
		return Unready("it answered " + word)
	}
	return nil
}
