package save

import (
	"os"
	"strings"
	"time"
)

// tempPrefix begins every temporary name, of any run.
const tempPrefix = ".shoal-"

// staleAge is how long nothing has been written to a temporary file before it
// counts as left behind. No stall that a run would wait out lasts so long.
const staleAge = 24 * time.Hour

// removeStale removes the temporary files of runs that were killed. What cannot
// be judged or removed stays: it is in nobody's way.
func (d *Folder) removeStale(names []string) {
	var now time.Time
	for _, name := range names {
		if !strings.HasPrefix(name, tempPrefix) {
			continue
		}
		if now.IsZero() {
			now = d.now()
		}
		info, err := os.Lstat(d.Path(name))
		if err == nil && info.Mode().IsRegular() && now.Sub(info.ModTime()) > staleAge {
			_ = d.files.Unlink(d.dir, name)
		}
	}
}

// removeOrphans removes origins without a part: of runs that were killed between
// the rename of a part and the removal of its origin. No other run makes any just
// now, see lock.
func (d *Folder) removeOrphans(names []string) {
	parts := map[string]bool{}
	for _, name := range names {
		if strings.HasSuffix(name, partSuffix) {
			parts[name] = true
		}
	}
	for _, name := range names {
		of, isOrigin := strings.CutSuffix(name, originSuffix)
		of, isHidden := strings.CutPrefix(of, ".")
		if isOrigin && isHidden && !parts[partName(of)] && d.readOrigin(of) != nil {
			_ = d.files.Unlink(d.dir, name)
		}
	}
}

// now is the time by the clock that dates the folder's files, which a file
// server keeps for itself. Without an answer it is the zero time, and nothing is
// older.
func (d *Folder) now() time.Time {
	temp := d.takeTemp()
	defer d.freeTemp(temp)
	name := d.tempName(temp)
	fd, err := d.files.Create(d.dir, name)
	if err != nil {
		return time.Time{}
	}
	info, err := os.Lstat(d.Path(name))
	_ = d.files.CloseFile(fd)
	_ = d.files.Unlink(d.dir, name)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
