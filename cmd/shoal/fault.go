package main

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/shoalfetch/shoal/internal/kernel"
)

// faultValue is the flag --fault: words with their values, such as
// recv-max=7,seed=1. Given several times it adds up.
type faultValue struct {
	kernel.Faults
	given []string // as they came
}

// addFaultFlag defines the flag.
func addFaultFlag(f *pflag.FlagSet, v *faultValue) {
	f.Var(v, "fault", "do wrong on purpose what the system would do right, as in recv-max=7,recv-again=50,reset-at=4096,seed=1: "+
		"recv-max, send-max, write-max (bytes that one call takes at most), recv-again, send-again, connect-fail (percent of calls that would block, or are refused), "+
		"reset-at (bytes after which a connection is reset), file-slow (time that calls to files take longer), file-slow-in (percent of these that do), "+
		"seed (the same chance again; else one is chosen and told)")
}

// faultWord is a word of --fault, and what takes its value.
type faultWord struct {
	name string
	set  func(value string) error
}

// words are all there are.
func (v *faultValue) words() []faultWord {
	return []faultWord{
		{"recv-max", bytesTo(&v.RecvMax)},
		{"recv-again", percentTo(&v.RecvAgain, 99)},
		{"send-max", bytesTo(&v.SendMax)},
		{"send-again", percentTo(&v.SendAgain, 99)},
		{"reset-at", sizeValue{&v.ResetAt, math.MaxInt64 / 2}.Set},
		{"connect-fail", percentTo(&v.ConnectFail, 99)},
		{"write-max", bytesTo(&v.WriteMax)},
		{"file-slow", durationValue{&v.FileSlow, false}.Set},
		{"file-slow-in", percentTo(&v.FileSlowIn, 100)},
		{"seed", seedTo(&v.Seed)},
	}
}

// Set implements pflag.Value.
func (v *faultValue) Set(spec string) error {
	for part := range strings.SplitSeq(spec, ",") {
		if err := v.add(part); err != nil {
			return err
		}
	}
	return nil
}

// add takes one word and its value.
func (v *faultValue) add(part string) error {
	name, value, found := strings.Cut(part, "=")
	words := v.words()
	at := slices.IndexFunc(words, func(w faultWord) bool { return w.name == name })
	switch {
	case at < 0:
		return fmt.Errorf("there is no fault %q; there are %s", name, namesOf(words))
	case !found:
		return fmt.Errorf("%s takes a value, as in %s", name, faultExample)
	case v.has(name):
		return fmt.Errorf("%s is given twice", name)
	}
	if err := words[at].set(value); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	v.given = append(v.given, part)
	return nil
}

// faultExample is a use, for messages.
const faultExample = "recv-max=7,recv-again=50,seed=1"

func namesOf(words []faultWord) string {
	var names []string
	for _, w := range words {
		names = append(names, w.name)
	}
	return strings.Join(names, ", ")
}

// has says whether a word was given.
func (v *faultValue) has(name string) bool {
	return slices.ContainsFunc(v.given, func(part string) bool { return strings.HasPrefix(part, name+"=") })
}

// wanted says whether the flag was given.
func (v *faultValue) wanted() bool { return len(v.given) > 0 }

// check refuses words that do nothing alone.
func (v *faultValue) check() error {
	switch {
	case v.has("seed") && len(v.given) == 1:
		return usagef("--fault %s is only what chance begins with: give a fault too, as in %s", v, faultExample)
	case v.has("file-slow-in") && !v.has("file-slow"):
		return usagef("--fault file-slow-in=%d is only how many file calls are slow: give file-slow=TIME too", v.FileSlowIn)
	}
	return nil
}

// inject puts the faults in front of a kernel, of which it is number n of the
// run's, from 0. Where there is no seed it chooses one, and String tells it.
func (v *faultValue) inject(k kernel.Kernel, n int) *kernel.Faulty {
	if !v.has("seed") {
		v.Seed = uint64(rand.Uint32()) // short enough to be typed
		v.given = append(v.given, fmt.Sprint("seed=", v.Seed))
	}
	faults := v.Faults
	faults.Seed += uint64(n)
	return kernel.Inject(k, faults)
}

// told is what a run says of its faults.
func (v *faultValue) told() string {
	return "faults on purpose; to try the same again: --fault " + v.String()
}

// String implements pflag.Value: it is what to give for the same faults again.
func (v *faultValue) String() string { return strings.Join(v.given, ",") }

// Type implements pflag.Value.
func (*faultValue) Type() string { return "SPEC" }

func bytesTo(to *int) func(string) error {
	return func(value string) error {
		var n int64
		if err := (sizeValue{&n, math.MaxInt32}).Set(value); err != nil {
			return err
		}
		*to = int(n)
		return nil
	}
}

func percentTo(to *int, most int) func(string) error {
	return func(value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > most {
			return fmt.Errorf("it takes a percentage of calls from 1 to %d, not %s", most, value)
		}
		*to = n
		return nil
	}
}

func seedTo(to *uint64) func(string) error {
	return func(value string) (err error) {
		if *to, err = strconv.ParseUint(value, 10, 64); err != nil {
			return errors.New("a seed is a whole number from 0 to 18446744073709551615, as a run with --fault told it")
		}
		return nil
	}
}
