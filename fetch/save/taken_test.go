package save

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// given is what reserve returned.
type given struct {
	name    string
	existed bool
}

// reserveAll asks for names in turn, with a folder that holds some before.
func reserveAll(folder, names []string) []given {
	t := newTaken()
	for _, name := range folder {
		t.found(name)
	}
	var all []given
	for _, name := range names {
		got, existed := t.reserve(name)
		all = append(all, given{got, existed})
	}
	return all
}

// words splits a line, so that a table can be read.
func words(line string) []string { return strings.Fields(line) }

// marked writes what was given with a ! on each name that existed before.
func marked(all []given) string {
	var out []string
	for _, g := range all {
		if g.existed {
			g.name += "!"
		}
		out = append(out, g.name)
	}
	return strings.Join(out, " ")
}

func TestReserve(t *testing.T) {
	tests := []struct{ rule, folder, names, want string }{
		{"free", "", "a.jpg b.jpg", "a.jpg b.jpg"},
		{"taken", "", "a.jpg a.jpg a.jpg", "a.jpg a-2.jpg a-3.jpg"},
		{"no extension", "", "a a", "a a-2"},
		{"last extension", "", "a.tar.gz a.tar.gz", "a.tar.gz a.tar-2.gz"},
		{"own base each", "", "a.jpg a.png a.jpg a.png", "a.jpg a.png a-2.jpg a-2.png"},
		{"real name in the way", "", "a-2.jpg a.jpg a.jpg a.jpg", "a-2.jpg a.jpg a-3.jpg a-4.jpg"},
		{"real name too late", "", "a.jpg a.jpg a-2.jpg a-2.jpg", "a.jpg a-2.jpg a-2-2.jpg a-2-3.jpg"},
		{"number is not shared", "", "a.jpg a.jpg a-2.jpg a.jpg", "a.jpg a-2.jpg a-2-2.jpg a-3.jpg"},

		{"case", "", "A.jpg a.JPG", "A.jpg a-2.JPG"},
		{"full folding", "", "stra\u00dfe STRASSE", "stra\u00dfe STRASSE-2"},
		{"composed", "", "\u00e9.jpg e\u0301.jpg \u00c9.jpg", "\u00e9.jpg e\u0301-2.jpg \u00c9-3.jpg"},
		{"folds to more than it composes to", "", "\u0390.jpg \u03aa\u0301.jpg", "\u0390.jpg \u03aa\u0301-2.jpg"},
		{"Kelvin sign is ASCII when folded", "", "\u212a.jpg k.jpg", "\u212a.jpg k-2.jpg"},
		{"unseen", "", "ab.jpg a\u200db.jpg a\ufe0fb.jpg", "ab.jpg a\u200db-2.jpg a\ufe0fb-3.jpg"},

		{"found", "a.jpg", "a.jpg b.jpg", "a.jpg! b.jpg"},
		{"found once", "a.jpg", "a.jpg a.jpg", "a.jpg! a-2.jpg"},
		{"found with its number", "a.jpg a-2.jpg", "a.jpg a.jpg a.jpg", "a.jpg! a-2.jpg! a-3.jpg"},
		{"found only with a number", "a-2.jpg", "a.jpg a.jpg a.jpg", "a.jpg a-2.jpg! a-3.jpg"},
		{"found in another case", "A.JPG", "a.jpg", "a.jpg!"},
		{"found as not composed", "e\u0301.jpg", "\u00e9.jpg", "\u00e9.jpg!"},
		{"found in another order", "\u03b1\u0345\u0301.jpg", "\u1fb4.jpg", "\u1fb4.jpg!"},
	}
	for _, test := range tests {
		got := marked(reserveAll(words(test.folder), words(test.names)))
		require.Equal(t, test.want, got, test.rule)
	}
}

func TestReserveKeepsLengthAndExtension(t *testing.T) {
	name := nameFor("http://h/" + strings.Repeat("€", 300) + ".jpeg")
	for _, g := range reserveAll(nil, []string{name, name, name})[1:] {
		require.LessOrEqual(t, len(g.name), maxComponent)
		require.True(t, strings.HasPrefix(g.name, strings.TrimSuffix(name, ".jpeg")+"-"), "nothing is cut while the reserve lasts")
		require.True(t, strings.HasSuffix(g.name, ".jpeg"))
	}

	table := newTaken()
	table.names[table.key(name)] = 100_000_000
	got, _ := table.reserve(name)
	require.LessOrEqual(t, len(got), maxComponent)
	require.True(t, strings.HasSuffix(got, "€-100000000.jpeg"), got)
}

// TestManyOfOneName is aria2/aria2#2057: there the 10,000th file of a name
// fails. Here it costs what the second did: a try makes one string, and a name
// is allowed no more than one try.
func TestManyOfOneName(t *testing.T) {
	const many = 20_000
	table := newTaken()
	table.reserve("image.jpg")
	var last string
	allocs := testing.AllocsPerRun(many-2, func() { last, _ = table.reserve("image.jpg") })
	require.Equal(t, fmt.Sprintf("image-%d.jpg", many), last)
	require.LessOrEqual(t, allocs, 1.0)
	require.Len(t, table.names, many)
}

// TestManyNumberedNames is the case a counter alone does not cover: the list
// itself holds the numbered names. They are passed over once.
func TestManyNumberedNames(t *testing.T) {
	const many = 20_000
	table := newTaken()
	for i := range many {
		table.reserve(fmt.Sprintf("image-%d.jpg", i+2))
	}
	table.reserve("image.jpg")
	table.reserve("image.jpg")
	var last string
	allocs := testing.AllocsPerRun(many-1, func() { last, _ = table.reserve("image.jpg") })
	require.Equal(t, fmt.Sprintf("image-%d.jpg", 2*many+2), last)
	require.LessOrEqual(t, allocs, 1.0)
}

func TestReserveAllocatesNothingForNewName(t *testing.T) {
	const many = 20_000
	var names []string
	for i := range many + 1 {
		names = append(names, fmt.Sprintf("IMG_%d.jpg", i))
	}
	table := newTaken()
	next := 0
	require.Zero(t, testing.AllocsPerRun(many, func() { table.reserve(names[next]); next++ }))
}

// TestMemoryPerName holds the table to 40 bytes a name, at a size just after
// the map has grown, when it is emptiest.
func TestMemoryPerName(t *testing.T) {
	if testing.Short() {
		t.Skip("makes a million names")
	}
	const many = 1_000_000
	before := heapBytes()
	table := newTaken()
	var name []byte
	for i := range many {
		name = fmt.Appendf(name[:0], "image%d.jpg", i)
		table.reserve(string(name))
	}
	perName := float64(heapBytes()-before) / many
	require.Len(t, table.names, many)
	t.Logf("%.1f bytes a name", perName)
	require.Less(t, perName, 40.0)
}

// heapBytes is what is live on the heap.
func heapBytes() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// FuzzReserve asks for the names of some URLs, with a folder that held some of
// the results before: no two files share a name, and a rerun finds its own.
func FuzzReserve(f *testing.F) {
	f.Add("a.jpg\na.jpg\nA.JPG\na-2.jpg\na-2.jpg\na.jpg", uint64(1))
	f.Add("e%CC%81\n%C3%A9\n%C3%89\nE%CC%81\ne-2", uint64(2))
	f.Add("\n\nindex.html\nINDEX.html\nindex-2.html\n", uint64(3))
	f.Add("stra%C3%9Fe\nSTRASSE\nstrasse-2\n\u1e9e\nss\n\u017fs", uint64(4))
	f.Add("con\n_con\nCON.\n..\n__\n%5C%5C", uint64(5))
	f.Add(strings.Repeat(strings.Repeat("%E1%BE%B3", 99)+".jpg\n", 5), uint64(6))
	f.Fuzz(func(t *testing.T, segments string, seed uint64) {
		var names []string
		for segment := range strings.SplitSeq(segments, "\n") {
			names = append(names, nameFor("http://h/"+segment))
		}
		first := reserveAll(nil, names)
		requireApart(t, first)

		random := rand.New(rand.NewPCG(seed, 0))
		var folder []string
		kept := make(map[string]bool)
		for _, g := range first {
			require.False(t, g.existed)
			if random.IntN(2) == 0 {
				folder = append(folder, g.name)
				kept[g.name] = true
			}
		}
		for i, g := range reserveAll(folder, names) {
			require.Equal(t, given{first[i].name, kept[g.name]}, g, "a run after one that saved some")
		}

		folder = nil
		for _, g := range first {
			folder = append(folder, g.name)
		}
		for i, g := range reserveAll(folder, names) {
			require.Equal(t, given{first[i].name, true}, g, "a run after one that saved all")
		}

		for range random.IntN(4) {
			folder = append(folder, names[random.IntN(len(names))])
		}
		requireApart(t, reserveAll(folder, names))
	})
}

// requireApart checks that a file system that ignores case and composition
// keeps all names apart, and that each fits.
func requireApart(t *testing.T, all []given) {
	t.Helper()
	seen := make(map[string]string)
	for _, g := range all {
		folded := norm.NFC.String(cases.Fold().String(norm.NFD.String(g.name)))
		require.NotContains(t, seen, folded, "%q and %q", g.name, seen[folded])
		seen[folded] = g.name
		require.LessOrEqual(t, len(g.name), maxComponent)
		require.NotContains(t, g.name, "/")
	}
}

// TestRerun is the rerun property of FuzzReserve at length: thousands of names
// from few bases, so that most have numbers and some real names look like them.
func TestRerun(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var names []string
	for range 5_000 {
		name := fmt.Sprintf("%c-%d.jpg", 'a'+rune(random.IntN(3)), random.IntN(200))
		names = append(names, strings.Replace(name, "-0", "", 1))
	}
	first := reserveAll(nil, names)
	requireApart(t, first)
	var folder []string
	for _, g := range first {
		folder = append(folder, g.name)
	}
	for i, g := range reserveAll(folder, names) {
		require.Equal(t, given{first[i].name, true}, g)
	}
}

func BenchmarkReserve(b *testing.B) {
	const many = 20_000
	different := make([]string, many)
	equal := make([]string, many)
	for i := range many {
		different[i] = fmt.Sprintf("image%d.jpg", i)
		equal[i] = "image.jpg"
	}
	for _, bench := range []struct {
		name  string
		names []string
	}{{"20000different", different}, {"20000equal", equal}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				table := newTaken()
				for _, name := range bench.names {
					table.reserve(name)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/many, "ns/name")
		})
	}
}
