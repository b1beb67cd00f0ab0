package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/spf13/cobra"

	"github.com/shoalfetch/shoal/internal/lab"
	"github.com/shoalfetch/shoal/internal/view"
)

// labRun is one run of `shoal lab`.
type labRun struct {
	listen     string
	tls        bool
	tlsDir     string
	book       bool
	sendBuffer int
	seed       uint64
	quiet      bool
	stdout     io.Writer
	stderr     io.Writer
}

// labCommand is the subcommand lab.
func labCommand(stdout, stderr io.Writer) *cobra.Command {
	r := &labRun{stdout: stdout, stderr: stderr}
	c := &cobra.Command{
		Use:   "lab [flags]",
		Short: "Run a server that misbehaves in every way on request",
		Long: `lab runs the server alone, until Ctrl-C: pictures of any size, served well,
slowly, in drips, broken off, with wrong lengths, without end. Its page at / lists
every way. What each client did is logged on standard error, one line for each
event.

With --tls all that is served over TLS, by an authority that is made for this run
and forgotten with it, and under names such as expired.localhost the server is
another one, with a certificate or manners that no client should put up with.

With --book it is the other end of a textbook's first program over a socket: it
answers every GET with one JPEG of 70,057 bytes behind a head of 240, in sends of
1,460 bytes, and logs each send, and when a send would block.`,
		Example: `  shoal lab
  shoal lab --tls
  shoal lab --book --send-buffer 8192`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("lab takes no URL: it is what URLs lead to; where it listens is said with --listen")
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error { return r.run() },
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&r.listen, "listen", "", "listen at `ADDRESS:PORT`, 127.0.0.1:8080 or with --tls 127.0.0.1:8443 if not given; port 0 is any that is free")
	f.BoolVar(&r.tls, "tls", false, "speak TLS")
	f.StringVar(&r.tlsDir, "tls-dir", "shoal-lab", "with --tls, write what clients need into the folder `DIR`: the authority's certificate as ca.pem, and one of their own with its key as client.pem")
	f.BoolVar(&r.book, "book", false, "be the other end of the textbook")
	f.IntVar(&r.sendBuffer, "send-buffer", 0, "with --book, make the send buffer of the kernel `N` bytes, which it may round")
	f.Uint64Var(&r.seed, "seed", 1, "what pictures look like and which of the dying die depends on `N`")
	f.BoolVarP(&r.quiet, "quiet", "q", false, "log nothing")
	return c
}

// run serves until a signal says that it is enough.
func (r *labRun) run() error {
	if r.listen == "" {
		r.listen = "127.0.0.1:8080"
		if r.tls {
			r.listen = "127.0.0.1:8443"
		}
	}
	if err := r.check(); err != nil {
		return err
	}
	o, err := r.options()
	if err != nil {
		return err
	}
	ctx, cancel := untilSignal()
	defer cancel(nil)
	server := lab.New(o)
	if err := server.Listen(r.listen); err != nil {
		return fmt.Errorf("%w (--listen 127.0.0.1:0 takes any port that is free)", err)
	}
	defer context.AfterFunc(ctx, server.Close)()
	r.greet(server.URL())
	err = server.Serve()
	server.Close()
	if err == nil {
		fmt.Fprintln(r.stderr, "the lab is closed")
	}
	return err
}

// check refuses what makes no sense.
func (r *labRun) check() error {
	host, _, err := net.SplitHostPort(r.listen)
	switch {
	case err != nil:
		return usagef("--listen takes an address and a port, not %q (for example --listen 127.0.0.1:8080)", r.listen)
	case host == "":
		return usagef("--listen %s would be open to every machine around: several endpoints send without end (name an address, for example --listen 127.0.0.1%s)", r.listen, r.listen)
	case r.sendBuffer < 0:
		return usagef("--send-buffer takes a number of bytes from 1, not %d (for example --send-buffer 8192)", r.sendBuffer)
	case r.tls && r.book:
		return usagef("--tls and --book together: the textbook knows no TLS")
	case r.sendBuffer > 0 && !r.book:
		return usagef("--send-buffer goes with --book")
	}
	return nil
}

// options are the flags in the lab's terms. With --tls they come with files.
func (r *labRun) options() (o lab.Options, err error) {
	began := time.Now()
	o = lab.Options{Seed: r.seed, Clock: func() time.Duration { return time.Since(began) }}
	if !r.quiet {
		o.Log = lab.LogTo(r.stderr)
	}
	if r.book {
		o.Book = &lab.Book{SendBuffer: r.sendBuffer}
	}
	if r.tls {
		o.Authority = lab.NewAuthority(began)
		err = r.writeCertificates(o.Authority)
	}
	return o, err
}

// greet says where the lab is, and warns when others can reach it.
func (r *labRun) greet(site string) {
	switch {
	case r.book:
		fmt.Fprintf(r.stdout, "%s/cover3.jpg\n", site)
		fmt.Fprintf(r.stderr, "try, in another terminal: shoal --textbook --recv-delay 250ms %s/cover3.jpg\n", site)
	case r.tls:
		fmt.Fprintf(r.stdout, "%s/\n", site)
		fmt.Fprintf(r.stderr, "try, in another terminal: shoal -v --cacert %s %s/drip/tile/187.jpg\n", r.authorityFile(), site)
		fmt.Fprintf(r.stderr, "its page lists the names under which it is another server, as https://expired.localhost:%s/\n", portOf(site))
	default:
		fmt.Fprintf(r.stdout, "%s/\n", site)
		fmt.Fprintf(r.stderr, "look at it in a browser, or in another terminal: shoal -v %s/drip/tile/187.jpg\n", site)
	}
	if host, _, _ := net.SplitHostPort(r.listen); !isLoopback(host) {
		fmt.Fprintf(r.stderr, "warning: %s is not a loopback address: whoever can reach it can make this program send without end\n", view.Plain(host))
	}
	fmt.Fprintln(r.stderr, "Ctrl-C ends it")
}

// isLoopback says whether a host stands for this machine alone. Of names only
// localhost does for certain (RFC 6761 section 6.3).
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
