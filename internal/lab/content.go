package lab

import (
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"sync"
)

const (
	maxSide      = 4096     // pixels, of a generated picture
	maxPixels    = 4 << 20  // in all
	maxBytes     = 32 << 20 // of /bytes
	lateBytes    = 128 << 10
	maxShelfSize = 128 << 20 // of all contents kept
)

// content is something to serve. Its bytes are shared and not to be changed.
type content struct {
	kind string // the media type
	body []byte
	tag  string // an entity tag, with its quotes
}

// modified is when all content was last changed.
const modified = "Sun, 01 Mar 2026 12:00:00 GMT"

var errContent = errors.New("there is /tile/N.jpg (0 to 399), /mosaic.jpg, /image/WIDTHxHEIGHT.jpg, /late/WIDTHxHEIGHT.jpg, " +
	"/bytes/N.jpg and /bytes/N.bin; pictures also as .png, .gif and .bmp, and / lists the endpoints")

var mediaTypes = map[string]string{
	"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif", "bmp": "image/bmp", "bin": "application/octet-stream",
}

// shelf makes content and keeps what was made.
type shelf struct {
	seed  uint64
	limit int // bytes kept

	mu   sync.Mutex
	kept map[string]content
	size int
}

func newShelf(seed uint64) *shelf {
	return &shelf{seed: seed, limit: maxShelfSize, kept: make(map[string]content)}
}

// get is the content of a path, or an error that says what there is.
func (s *shelf) get(path string) (content, error) {
	s.mu.Lock()
	c, ok := s.kept[path]
	s.mu.Unlock()
	if ok {
		return c, nil
	}
	c, err := s.make(path) // two may make the same at once; it is the same
	if err != nil {
		return c, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.size += len(c.body); s.size > s.limit {
		clear(s.kept)
		s.size = len(c.body)
	}
	s.kept[path] = c
	return c, nil
}

func (s *shelf) make(path string) (content, error) {
	stem, ending, _ := strings.Cut(path, ".")
	kind, ok := mediaTypes[ending]
	if !ok {
		return content{}, errContent
	}
	body, err := s.draw(stem, ending)
	if err != nil {
		return content{}, err
	}
	h := fnv.New64a()
	h.Write(body)
	return content{kind, body, fmt.Sprintf("%q", strconv.FormatUint(h.Sum64(), 36))}, nil
}

func (s *shelf) draw(stem, ending string) ([]byte, error) {
	family, which, _ := strings.Cut(stem, "/")
	d := diceFor(s.seed, stem)
	if family == "bytes" {
		return bytesOf(which, ending, d)
	}
	if ending == "bin" {
		return nil, errContent
	}
	switch family {
	case "mosaic":
		if which == "" {
			return encoded(Mosaic(), ending), nil
		}
	case "tile":
		if n, err := strconv.ParseUint(which, 10, 16); err == nil && n < Tiles {
			return encoded(tile(int(n)), ending), nil
		}
	case "image", "late":
		w, h, err := sides(which)
		if err != nil {
			return nil, err
		}
		file := encoded(scene(w, h, d), ending)
		if family == "image" {
			return file, nil
		}
		if ending == "jpg" {
			return padJPEG(file, lateBytes, d), nil
		}
	}
	return nil, errContent
}

// sides reads WIDTHxHEIGHT.
func sides(text string) (w, h int, err error) {
	left, right, _ := strings.Cut(text, "x")
	width, err1 := strconv.ParseUint(left, 10, 16)
	height, err2 := strconv.ParseUint(right, 10, 16)
	switch {
	case err1 != nil || err2 != nil:
		return 0, 0, errContent
	case width < 1 || height < 1 || width > maxSide || height > maxSide || width*height > maxPixels:
		return 0, 0, fmt.Errorf("a picture has 1 to %d pixels a side, and at most %d", maxSide, maxPixels)
	}
	return int(width), int(height), nil
}

func bytesOf(which, ending string, d *dice) ([]byte, error) {
	n, err := strconv.ParseUint(which, 10, 63)
	switch {
	case err != nil || ending != "jpg" && ending != "bin":
		return nil, errContent
	case n > maxBytes:
		return nil, fmt.Errorf("/bytes has at most %d of them", maxBytes)
	case ending == "jpg":
		return jpegOf(int(n), d)
	}
	p := make([]byte, n)
	d.fill(p)
	return p, nil
}
