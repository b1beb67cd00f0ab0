package rate

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

var units = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}

// Parse reads how many in which time: 10/s, 0.5/s, 30/m, 1000/h, 5000/d, and
// 10/5s for ten in five seconds. It gives how many that is in a second.
func Parse(text string) (perSecond float64, err error) {
	count, span, ok := strings.Cut(text, "/")
	if !ok {
		return 0, errors.New("a rate is a number in a time, as in 10/s, 30/m or 1000/h")
	}
	n, err := strconv.ParseFloat(count, 64)
	if err != nil || !(n > 0 && n <= 1e9) {
		return 0, errors.New("a rate begins with a number above 0, up to 1000000000")
	}
	digits := strings.TrimRight(span, "smhd")
	unit, known := units[span[len(digits):]]
	times := 1
	if digits != "" {
		times, err = strconv.Atoi(digits)
	}
	if !known || err != nil || times < 1 || times > 1_000_000 {
		return 0, errors.New("the time of a rate is s, m, h or d, or so many of them, as in 10/5s")
	}
	return n / (float64(times) * unit.Seconds()), nil
}
