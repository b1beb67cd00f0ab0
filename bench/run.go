package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// session is what the runs of one workload share.
type session struct {
	load   workload
	dir    string // of this workload, in the workspace
	launch launcher
	room   *room
	proof  certificate // of the servers, for TLS
	nginx  *nginx      // nil: bodies drip, from a server for each run
	bad    int         // runs that did not count
}

// openSession has all in place for the runs of a workload.
func openSession(ctx context.Context, launch launcher, work string, inMemory bool, load workload) (s *session, err error) {
	s = &session{load: load, dir: filepath.Join(work, load.Name), launch: launch, room: &room{}}
	if err := os.Mkdir(s.dir, 0o755); err != nil {
		return nil, err
	}
	if inMemory {
		if s.room, err = newRoom(s.dir, load.bytes()); err != nil {
			return nil, err
		}
	}
	if load.TLS {
		if s.proof, err = newCertificate(s.dir); err != nil {
			return nil, err
		}
	}
	if load.drips() {
		return s, nil
	}
	if err := load.writeFiles(filepath.Join(s.dir, "files")); err != nil {
		return nil, err
	}
	s.nginx, err = startNginx(ctx, launch, s.dir, load, s.proof)
	return s, err
}

// close takes everything away.
func (s *session) close() error {
	if s.nginx != nil {
		s.nginx.stop()
	}
	return os.RemoveAll(s.dir)
}

// runRounds runs each peer once a round, each in turn as the first.
func (s *session) runRounds(ctx context.Context, peers []peer, rounds int) sheet {
	sh := newSheet(s.load, peers, rounds)
	for round := range rounds {
		for turn := range peers {
			i := (round + turn) % len(peers)
			used, err := s.runOnce(ctx, peers[i], s.load)
			if ctx.Err() != nil {
				return sh
			}
			if err != nil {
				fmt.Fprintf(os.Stderr, "bench: %s, round %d: %s does not count: %v\n", s.load.Name, round+1, peers[i].name, err)
				s.bad++
				continue
			}
			sh.Rows[i].Runs[round] = &used
		}
	}
	return sh
}

// runOnce has a peer, behind a tracer if there is one, do a workload into a
// fresh folder, and gives what it used if all is there.
func (s *session) runOnce(ctx context.Context, p peer, load workload, tracer ...string) (figures, error) {
	const limit = 5 * time.Minute
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	from, stop, err := s.server(ctx, load)
	if err != nil {
		return figures{}, err
	}
	defer stop()
	run := job{workload: load, port: from.port(), first: from.url(0), list: filepath.Join(s.dir, "list"), authority: s.proof.authority}
	if err := load.writeList(run.list, from.url, p.line); err != nil {
		return figures{}, err
	}
	if run.out, err = os.MkdirTemp(s.dir, "out-"); err != nil {
		return figures{}, err
	}
	if p.discards == nil {
		if err := s.room.empty(); err != nil {
			return figures{}, err
		}
	}
	s.room.spend(run.out)
	command := append(append(tracer, p.program), p.args(run)...)
	used, said, err := s.launch.measure(ctx, command[0], command[1:]...)
	if err != nil {
		return figures{}, err
	}
	used.Fetches, err = p.verify(said, run)
	return used, err
}

// server gives the one of the session, or one for a run.
func (s *session) server(ctx context.Context, load workload) (from server, stop func(), err error) {
	if s.nginx != nil {
		return s.nginx, func() {}, nil
	}
	d, err := startDripping(ctx, s.launch, load, s.proof)
	if err != nil {
		return nil, nil, err
	}
	return d, d.stop, nil
}

// verify gives how many fetches a run has made, of which every byte counts.
func (p peer) verify(said []byte, run job) (int, error) {
	if p.discards != nil {
		return p.discards(said, run.workload)
	}
	if err := run.verify(run.out); err != nil {
		return 0, fmt.Errorf("%w; it said: %s", err, strings.TrimSpace(string(said)))
	}
	return run.Fetches, nil
}
