package rate

import (
	"math/bits"
	"time"
)

// Jitter is a pause between half and one and a half of the one given, and that
// on the average: an even beat would tell a machine, and let many of them meet.
// random is 64 random bits.
func Jitter(pause time.Duration, random uint64) time.Duration {
	part, _ := bits.Mul64(random, uint64(pause)) // of the pause, from 0 to all but 1
	return pause/2 + time.Duration(part)
}
