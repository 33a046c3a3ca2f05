// The emulator behind loopback ports alone: its own main listens on every interface.
package main

import (
	"log"
	"net"
	"net/http"
	"os"
	"strings"

	emulator "github.com/blackwell-systems/gcp-kms-emulator"
	"google.golang.org/grpc"
)

func main() {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	if err := emulator.Register(server); err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(server.Serve(inner)) }()
	gateway, err := emulator.NewGatewayHandler(inner.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	// REST and gRPC on one port.
	both := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("content-type"), "application/grpc") {
			server.ServeHTTP(w, r)
		} else {
			gateway.ServeHTTP(w, r)
		}
	})
	front := &http.Server{Addr: "127.0.0.1:" + os.Args[1], Handler: both, Protocols: protocols}
	log.Fatal(front.ListenAndServe())
}
