package view

import (
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
)

var (
	schemaFile   = filepath.Join("..", "..", "docs", "record.schema.json")
	documentFile = filepath.Join("..", "..", "docs", "json.md")
)

// schema is what docs/record.schema.json demands.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(schemaFile)
	require.NoError(t, err)
	return s
}

// value is a JSON text as the validator wants it.
func value(t *testing.T, text string) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	require.NoError(t, err)
	return v
}

// realRecords are lines about fetches that succeeded in every way, were
// skipped, and failed in many phases.
func realRecords(t *testing.T) (lines []string) {
	w := newWorld(t)
	w.host("a.test", "10.1.0.1", serve)
	w.host("six.test", "2001:db8::6", serve)
	w.k.Refuse(netip.MustParseAddrPort("10.1.0.2:80"))
	w.k.Put("out", "old.jpg", nil)
	folder := save.Dir("out")
	w.options.Sink = folder
	f, err := fetch.NewOn(w.k, w.k.Runner(), w.options)
	require.NoError(t, err)
	source := row{urls: []string{
		"http://a.test/plain", "http://a.test/chunked", "http://a.test/close", "http://a.test/moved", "http://six.test/six?<&>",
		"http://a.test/old.jpg", "http://a.test/none", "http://a.test/cut", "http://10.1.0.2/", "http://nowhere.test/", "ftp://a.test/",
	}}
	want := len(source.urls)
	for res, err := range f.FetchFrom(context.Background(), &source) {
		res.Request.Tag = len(lines) + 1
		lines = append(lines, string(AppendRecord(nil, RecordOf(res, err, folder.Path))))
	}
	require.NoError(t, f.Close())
	require.Len(t, lines, want)
	return lines
}

func TestRecordsFollowTheSchema(t *testing.T) {
	s, outcomes := schema(t), map[string]int{}
	for _, line := range realRecords(t) {
		require.Equal(t, len(line)-1, strings.IndexByte(line, '\n'), "one line, with its end")
		require.NoError(t, s.Validate(value(t, line)), line)
		var r Record
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		outcomes[r.Outcome]++
	}
	require.Equal(t, map[string]int{"saved": 5, "skipped": 1, "failed": 5}, outcomes)
}

// TestKindsFollowTheSchema: there is no kind of failure that it does not know.
func TestKindsFollowTheSchema(t *testing.T) {
	s := schema(t)
	for _, c := range everyKind {
		err := &fetch.Error{URL: "http://h/", Phase: c.phase, Attempt: 1, Err: c.err}
		line := asJSON(&fetch.Result{Request: fetch.Request{URL: "http://h/"}, URL: "http://h/"}, err)
		require.NoError(t, s.Validate(value(t, line)), line)
	}
}

// TestSchemaRefuses: a schema that takes anything would prove nothing.
func TestSchemaRefuses(t *testing.T) {
	s := schema(t)
	for _, line := range realRecords(t) {
		for _, damage := range []func(record map[string]any){
			func(r map[string]any) { delete(r, "v") },
			func(r map[string]any) { r["v"] = 2 },
			func(r map[string]any) { r["bytes"] = "9" },
			func(r map[string]any) { r["outcome"] = "lost" },
			func(r map[string]any) { r["colour"] = "red" },
			func(r map[string]any) { delete(r["timings"].(map[string]any), "wait") },
			func(r map[string]any) { r["timings"].(map[string]any)["wait"] = -1 },
			func(r map[string]any) {
				toggle(r, "error", map[string]any{"phase": "dial", "kind": "other", "message": "x"})
			},
		} {
			r := value(t, line).(map[string]any)
			damage(r)
			require.Error(t, s.Validate(r), "%v", r)
		}
	}
}

func toggle(r map[string]any, key string, value any) {
	if _, ok := r[key]; ok {
		delete(r, key)
	} else {
		r[key] = value
	}
}

// TestDocumentTellsOfEachField holds docs/json.md and the schema to the type.
func TestDocumentTellsOfEachField(t *testing.T) {
	document, err := os.ReadFile(documentFile)
	require.NoError(t, err)
	text, err := os.ReadFile(schemaFile)
	require.NoError(t, err)
	var schema struct {
		Properties map[string]any
		Defs       map[string]struct{ Properties map[string]any } `json:"$defs"`
	}
	require.NoError(t, json.Unmarshal(text, &schema))
	for prefix, of := range map[string]struct {
		fields reflect.Type
		schema map[string]any
	}{
		"":         {reflect.TypeFor[Record](), schema.Properties},
		"timings.": {reflect.TypeFor[timings](), schema.Defs["timings"].Properties},
		"hops.":    {reflect.TypeFor[hop](), schema.Defs["hop"].Properties},
		"error.":   {reflect.TypeFor[failed](), schema.Defs["error"].Properties},
	} {
		require.Len(t, of.schema, of.fields.NumField(), "fields of %q in the schema", prefix)
		for i := range of.fields.NumField() {
			name, _, _ := strings.Cut(of.fields.Field(i).Tag.Get("json"), ",")
			require.Contains(t, of.schema, name)
			require.Contains(t, string(document), "| `"+prefix+name+"` |")
		}
	}
	for _, c := range everyKind {
		require.Contains(t, string(document), "| `"+c.kind+"` |")
	}
}
