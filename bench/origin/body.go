// Package origin is what the benchmarks' clients fetch: the bodies, and a
// server that lets them drip.
package origin

import (
	"encoding/binary"
	"math/rand/v2"
)

// Body fills a slice with body number i: noise, different for each number, the
// same at each call.
func Body(i int, body []byte) {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], uint64(i))
	rand.NewChaCha8(seed).Read(body)
}
