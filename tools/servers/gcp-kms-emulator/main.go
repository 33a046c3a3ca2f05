// The emulator behind loopback ports alone: its own main listens on every interface.
package main

import (
	"log"
	"net"
	"net/http"
	"os"

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
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], gateway))
}
