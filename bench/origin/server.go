package origin

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// Part is the word that, as its first argument, makes a program the server:
// it then calls [Serve] with the arguments that follow.
const Part = "serve"

// How a body of the server is asked for.
const (
	pattern   = "GET /{bytes}/{piece}/{delay}/{number}"
	urlFormat = "%s/%d/%d/%s/%06d.jpg"
)

// Serve is the server process: it writes to stdout the URL where it listens, and
// serves until its stdin ends, which it does with the process that started it.
// Its arguments are an address and, for TLS, the files of a certificate and its
// key.
func Serve(args []string) error {
	if len(args) != 1 && len(args) != 3 {
		return fmt.Errorf("%s ADDRESS [CERTIFICATE KEY]", Part)
	}
	l, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc(pattern, drip)
	s := &http.Server{Handler: mux, TLSConfig: settings(), Protocols: new(http.Protocols)}
	s.Protocols.SetHTTP1(true)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		s.Close()
	}()
	if len(args) == 1 {
		fmt.Printf("http://%s\n", l.Addr())
		err = s.Serve(l)
	} else {
		fmt.Printf("https://%s\n", l.Addr())
		err = s.ServeTLS(l, args[1], args[2])
	}
	if err != http.ErrServerClosed {
		return err
	}
	return nil
}

// settings are those of the benchmarks' nginx: every client uses the same
// version and the same key exchange, and nothing is resumed.
func settings() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.X25519}, SessionTicketsDisabled: true}
}

// order is what a request asks for.
type order struct {
	number, bytes, piece int
	delay                time.Duration
}

func parseOrder(r *http.Request) (o order, err error) {
	if o.bytes, err = strconv.Atoi(r.PathValue("bytes")); err != nil {
		return o, err
	}
	if o.piece, err = strconv.Atoi(r.PathValue("piece")); err != nil {
		return o, err
	}
	if o.delay, err = time.ParseDuration(r.PathValue("delay")); err != nil {
		return o, err
	}
	number, isPicture := strings.CutSuffix(r.PathValue("number"), ".jpg")
	if o.number, err = strconv.Atoi(number); err != nil {
		return o, err
	}
	if !isPicture || o.bytes < 0 || o.piece < 1 {
		return o, fmt.Errorf("%d bytes of %s in pieces of %d", o.bytes, r.PathValue("number"), o.piece)
	}
	return o, nil
}

// drip sends a body piece by piece.
func drip(w http.ResponseWriter, r *http.Request) {
	o, err := parseOrder(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Content-Length", strconv.Itoa(o.bytes))
	body := make([]byte, o.bytes)
	Body(o.number, body)
	o.send(r.Context(), w, body)
}

// send has each body begin at a moment of its own, as strangers do.
func (o order) send(ctx context.Context, w http.ResponseWriter, body []byte) {
	flush := http.NewResponseController(w)
	wait := time.Duration(0)
	if o.delay > 0 {
		wait = rand.N(o.delay)
	}
	for len(body) > 0 {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
		n := min(o.piece, len(body))
		if _, err := w.Write(body[:n]); err != nil {
			return
		}
		if err := flush.Flush(); err != nil {
			return
		}
		body, wait = body[n:], o.delay
	}
}
