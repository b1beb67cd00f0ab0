package lab

import (
	"encoding/binary"
	"hash/fnv"
)

// dice is chance that can be repeated: the same seed throws the same numbers
// on every machine (a 64-bit Weyl sequence, mixed).
type dice struct{ state uint64 }

// diceFor is the dice of one thing, named by a text, under a seed.
func diceFor(seed uint64, name string) *dice {
	h := fnv.New64a()
	h.Write([]byte(name))
	return &dice{h.Sum64() ^ seed*0x9e3779b97f4a7c15}
}

func (d *dice) next() uint64 {
	d.state += 0x9e3779b97f4a7c15
	z := d.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// between is a number from low up to, but without, high.
func (d *dice) between(low, high float64) float64 {
	return low + (high-low)*float64(d.next()>>11)/(1<<53)
}

// below is a whole number from 0 to n-1.
func (d *dice) below(n int) int { return int(d.next() % uint64(n)) }

// fill writes bytes that no compressor makes smaller.
func (d *dice) fill(p []byte) {
	var eight [8]byte
	for len(p) > 0 {
		binary.LittleEndian.PutUint64(eight[:], d.next())
		p = p[copy(p, eight[:]):]
	}
}
