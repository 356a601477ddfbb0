// Package rpc is what the Go services of the shop have in common: a gRPC server
// that answers health checks, and calls whose messages are JSON.
package rpc

import (
	"context"
	"encoding/json"
	"fmt"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// Version is shown by each service.
const Version = "rpc-1"

type codec struct{}

func (codec) Name() string                       { return "json" }
func (codec) Marshal(v any) ([]byte, error)      { return json.Marshal(v) }
func (codec) Unmarshal(data []byte, v any) error { return json.Unmarshal(data, v) }

func init() { encoding.RegisterCodec(codec{}) }

// Method answers a call.
type Method func(context.Context) (answer any, err error)

// Serve answers calls and health checks until it fails.
func Serve(address, service string, methods map[string]Method) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	healthpb.RegisterHealthServer(server, health.NewServer())
	description := grpc.ServiceDesc{ServiceName: service, HandlerType: (*any)(nil)}
	for name, method := range methods {
		description.Methods = append(description.Methods, grpc.MethodDesc{
			MethodName: name,
			Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
				if err := decode(&struct{}{}); err != nil {
					return nil, err
				}
				return method(ctx)
			},
		})
	}
	server.RegisterService(&description, nil)
	return server.Serve(listener)
}

// Client calls the methods of a service.
type Client struct {
	service string
	conn    *grpc.ClientConn
}

// Dial returns a client, which connects when it is used.
func Dial(address, service string) (*Client, error) {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.CallContentSubtype("json"), grpc.WaitForReady(true)))
	if err != nil {
		return nil, err
	}
	return &Client{service: service, conn: conn}, nil
}

// Call calls a method, whose answer is put into what answer points at.
func (c *Client) Call(ctx context.Context, method string, answer any) error {
	if err := c.conn.Invoke(ctx, "/"+c.service+"/"+method, struct{}{}, answer); err != nil {
		return fmt.Errorf("calling %s of %s: %w", method, c.service, err)
	}
	return nil
}
