//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"errors"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFileCallsFromSeveralGoroutines: files may be made, filled and named beside
// the loop, whatever else the loop asks meanwhile.
func TestFileCallsFromSeveralGoroutines(t *testing.T) {
	const writers, files = 4, 50
	k := Count(Inject(open(t), Faults{Nth: 1 << 40, Call: AnyCall, Errno: 5}))
	path, dir := folder(t, k)
	fd, _ := pair(t, k)
	defer k.CloseSocket(fd)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for n := range files {
				if err := save(k, dir, strconv.Itoa(w)+"-"+strconv.Itoa(n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range files {
		k.Now()
		k.Recv(fd, make([]byte, 1))
		k.Snapshot()
	}
	all.Wait()
	require.EqualValues(t, writers*files, k.Snapshot().Calls[CallRename])
	for w := range writers {
		for n := range files {
			name := strconv.Itoa(w) + "-" + strconv.Itoa(n)
			require.Equal(t, name, content(t, path, name))
		}
	}
}

// save makes a file that contains its own name.
func save(k Kernel, dir int, name string) error {
	fd, err := k.Create(dir, "temp-"+name)
	if err != nil {
		return err
	}
	_, err = k.Write(fd, []byte(name))
	return errors.Join(err, k.CloseFile(fd), k.Rename(dir, "temp-"+name, name))
}
