package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
	"github.com/shoalfetch/shoal/internal/kernel"
	"github.com/shoalfetch/shoal/internal/lab"
	"github.com/shoalfetch/shoal/internal/view"
)

// demo is one run of `shoal demo`: the lab and the fetcher in one program, and
// 400 tiles of a picture from the one to the other.
type demo struct {
	dir    string
	seed   uint64
	conns  int
	tls    bool
	stdout io.Writer
	stderr io.Writer

	authority *lab.Authority // nil: without TLS

	plates []plate
	took   time.Duration
	calls  kernel.Counts
}

// plate is one tile and what became of it.
type plate struct {
	Number int
	Way    string // how the lab served it
	URL    string
	Bytes  int64
	Began  time.Duration // since the first of all began; until then it waited for its turn
	Took   time.Duration // from then on
	Hole   string        // two or three words for its place in the picture; empty: it is there
	Why    string        // the whole story of a hole
}

// demoCommand is the subcommand demo.
func demoCommand(stdout, stderr io.Writer) *cobra.Command {
	d := &demo{stdout: stdout, stderr: stderr}
	c := &cobra.Command{
		Use:   "demo [flags]",
		Short: "Fetch 400 pictures from a server that misbehaves, and look at them",
		Long: `demo starts the lab inside this program, on the loopback interface, and fetches
400 small pictures from it at once: some are served well, some slowly, some drip,
and some die on the way. Together they are one picture. No network is needed.`,
		Example: `  shoal demo
  shoal demo -j 1 -d one-by-one   the same with one connection`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("demo takes no URL, it brings its own server along: shoal demo")
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return d.run(c.Context()) },
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVarP(&d.dir, "output-dir", "d", "shoal-demo", "keep the pictures and the page in the folder `DIR`, made anew each time")
	f.IntVarP(&d.conns, "conns", "j", 128, "at most `N` connections at once")
	f.BoolVar(&d.tls, "tls", false, "fetch over TLS")
	f.Uint64Var(&d.seed, "seed", 1, "which tiles are slow, drip and die depends on `N`")
	return c
}

// run is the demo from its empty folder to its last line.
func (d *demo) run(ctx context.Context) error {
	if d.conns < 1 {
		return usagef("--conns takes a number from 1, not %d (for example --conns 64)", d.conns)
	}
	if err := d.clear(); err != nil {
		return err
	}
	fmt.Fprintln(d.stderr, "painting 400 tiles of one picture, and starting a server that misbehaves…")
	lab.Mosaic()
	if d.tls {
		d.authority = lab.NewAuthority(time.Now())
	}
	server := lab.New(lab.Options{Seed: d.seed, Authority: d.authority})
	if err := server.Listen("127.0.0.1:0"); err != nil {
		return err
	}
	go server.Serve()
	defer server.Close()
	d.lay(server.URL())
	if err := d.fetchAll(ctx); err != nil {
		return err
	}
	if err := d.writePage(); err != nil {
		return err
	}
	d.tell()
	return d.verdict()
}

// demoMark begins the demo's page. A folder with such a page is the demo's own.
const demoMark = "<!doctype html><!-- shoal demo -->"

// clear makes the folder, or empties it of an earlier demo's tiles. A folder
// of anybody else's is left as it is.
func (d *demo) clear() error {
	entries, err := os.ReadDir(d.dir)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	if len(entries) > 0 && !d.owns() {
		return usagef("%s is there, is not empty, and is not a demo's: name another folder with -d", d.dir)
	}
	if err := os.RemoveAll(d.tiles()); err != nil {
		return err
	}
	if err := os.MkdirAll(d.tiles(), 0o777); err != nil {
		return err
	}
	return os.WriteFile(d.page(), []byte(demoMark+"<title>shoal demo</title><p>The demo did not come to its end.\n"), 0o666)
}

func (d *demo) owns() bool {
	f, err := os.Open(d.page())
	if err != nil {
		return false
	}
	defer f.Close()
	begin := make([]byte, len(demoMark))
	_, err = io.ReadFull(f, begin)
	return err == nil && string(begin) == demoMark
}

func (d *demo) page() string  { return filepath.Join(d.dir, "index.html") }
func (d *demo) tiles() string { return filepath.Join(d.dir, "tiles") }

// The ways in which the lab serves a tile.
const (
	wayWell = "well-behaved"
	waySlow = "slow"
	wayDrip = "dripping"
	wayDie  = "dying"
)

// lay throws the dice for each tile. One in four of the dying dies; the lab
// decides which.
func (d *demo) lay(site string) {
	dice := rand.New(rand.NewPCG(d.seed, lab.Tiles))
	d.plates = make([]plate, lab.Tiles)
	for n := range d.plates {
		p := plate{Number: n}
		switch throw := dice.IntN(100); {
		case throw < 42:
			p.Way, p.URL = wayWell, fmt.Sprintf("%s/ok/tile/%d.jpg", site, n)
		case throw < 64:
			p.Way, p.URL = waySlow, fmt.Sprintf("%s/slow/tile/%d.jpg?pause=%d", site, n, 80+dice.IntN(20)*dice.IntN(60))
		case throw < 90:
			p.Way, p.URL = wayDrip, fmt.Sprintf("%s/drip/tile/%d.jpg?bytes=%d&pause=%d", site, n, 120+dice.IntN(180), 8+dice.IntN(28))
		default:
			p.Way, p.URL = wayDie, fmt.Sprintf("%s/dying/tile/%d.jpg?of=4&at=%d", site, n, 10+dice.IntN(80))
		}
		d.plates[n] = p
	}
}

// fetchAll fetches every tile, through a kernel that counts its calls.
func (d *demo) fetchAll(ctx context.Context) error {
	k, err := kernel.New()
	if err != nil {
		return err
	}
	counted := kernel.Count(k)
	f, err := fetcherOn(counted, lookups, fetch.Options{
		MaxConns:   d.conns,
		MaxPerHost: d.conns,
		UserAgent:  "shoal/" + version,
		TLS:        d.trust(),
		Sink:       save.Dir(d.tiles()),
		Trace:      d.clock(),
	})
	if err != nil {
		return fmt.Errorf("--conns %d: %w", d.conns, err)
	}
	defer f.Close()
	var tally view.Tally
	screen := view.NewProgress(d.stderr, view.StyleFor(d.stderr), func() view.Moment {
		return view.Moment{Snapshot: f.Snapshot(), Tally: &tally, Total: len(d.plates)}
	})
	began := time.Now()
	for res, err := range f.Fetch(ctx, d.requests) {
		d.plates[res.Request.Tag.(int)].enter(res, err)
		tally.Add(res, err)
		screen.Draw(time.Now())
	}
	d.took = time.Since(began)
	screen.Done()
	d.calls = counted.Snapshot()
	return ctx.Err()
}

// trust is in the lab's own authority alone.
func (d *demo) trust() *fetch.TLS {
	if d.authority == nil {
		return nil
	}
	return &fetch.TLS{Roots: d.authority.Pool()}
}

func (d *demo) requests(yield func(fetch.Request) bool) {
	for n, p := range d.plates {
		if !yield(fetch.Request{URL: p.URL, Tag: n}) {
			return
		}
	}
}

// clock notes when each fetch begins and ends, by the loop's own clock. Jobs
// are numbered from 1 as they are admitted, and so in the order of the tiles.
func (d *demo) clock() func(fetch.Event) {
	first := time.Duration(-1)
	begun := make([]bool, len(d.plates))
	return func(e fetch.Event) {
		if first < 0 {
			first = e.At
		}
		n := int(e.Job) - 1
		switch {
		case e.Kind == fetch.JobRunning && !begun[n]:
			begun[n] = true
			d.plates[n].Began = e.At - first
		case e.Kind == fetch.JobDone:
			d.plates[n].Took = e.At - first - d.plates[n].Began
		}
	}
}

// enter writes down what became of a tile.
func (p *plate) enter(res *fetch.Result, err error) {
	p.Bytes = res.Bytes
	if err != nil {
		p.Hole, p.Why = holeOf(err), err.Error()
	}
}
