package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"path"
	"strings"
	"testing"
)

func TestFrames(t *testing.T) {
	var b bytes.Buffer
	c := NewConn(&b)
	c.Raise()
	big := bytes.Repeat([]byte("x"), MaxChunk)
	if err := c.Write(TypeChunk, []byte("head"), big); err != nil {
		t.Fatal(err)
	}
	if err := c.WriteJSON(TypeHello, Hello{Version: 3, Token: "t"}); err != nil {
		t.Fatal(err)
	}
	typ, got, err := c.Read(make([]byte, 8))
	if err != nil || typ != TypeChunk || len(got) != 4+len(big) || string(got[:5]) != "headx" {
		t.Fatalf("type %d, %d bytes, %v", typ, len(got), err)
	}
	typ, got, err = c.Read(got)
	var h Hello
	if err != nil || typ != TypeHello || json.Unmarshal(got, &h) != nil || h.Version != 3 {
		t.Fatalf("type %d, %q, %v", typ, got, err)
	}
	if _, _, err := c.Read(nil); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	b.Write([]byte{1, 0, 0, 0, 9, 'x'})
	if _, _, err := c.Read(nil); err != io.ErrUnexpectedEOF {
		t.Errorf("within a frame: %v", err)
	}
}

// writes counts the writes of a stream.
type writes struct {
	bytes.Buffer
	n int
}

func (w *writes) Write(b []byte) (int, error) {
	w.n++
	return w.Buffer.Write(b)
}

func TestLaterFramesTravelTogether(t *testing.T) {
	var w writes
	c := NewConn(&w)
	c.Raise()
	for _, err := range []error{
		c.LaterJSON(TypeBegin, Begin{Tx: 1}),
		c.Later(TypeChunk, []byte("one")),
		c.WriteJSON(TypeCommit, Commit{Tx: 1}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if w.n != 1 {
		t.Errorf("a begin, a chunk and a commit took %d writes", w.n)
	}
	if err := c.Later(TypeChunk, make([]byte, MaxLater)); err != nil || w.n != 2 {
		t.Errorf("a long chunk waits: %d writes, %v", w.n, err)
	}
	for _, want := range []Type{TypeBegin, TypeChunk, TypeCommit, TypeChunk} {
		if got, _, err := c.Read(nil); err != nil || got != want {
			t.Errorf("frame of type %d, %v; want %d", got, err, want)
		}
	}
}

func TestFrameLimit(t *testing.T) {
	b := bytes.NewBuffer([]byte{1, 0, 1, 0, 0})
	if _, _, err := NewConn(b).Read(nil); !errors.Is(err, ErrTooLong) {
		t.Errorf("a stranger's frame of 64 KiB: %v", err)
	}
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 1, 'x', 2, 0, 0, 0, 0})
	f.Add([]byte{8, 0, 0, 0, 25})
	f.Fuzz(func(t *testing.T, b []byte) {
		c := NewConn(bytes.NewBuffer(b))
		for {
			typ, p, err := c.Read(nil)
			if err != nil {
				return
			}
			if len(p) > HelloLimit {
				t.Fatalf("a frame of %d bytes", len(p))
			}
			if typ == TypeChunk {
				_, _ = ParseChunk(p)
			}
		}
	})
}

func TestChunk(t *testing.T) {
	body := bytes.Repeat([]byte("b"), LeafSize+1)
	c := Chunk{Tx: 7, File: 3, Offset: 2 * LeafSize, Size: int64(len(body)), Op: OpRaw, Body: body}
	got, err := ParseChunk(append(c.Head(), body...))
	if err != nil || got.Tx != 7 || got.File != 3 || got.Offset != c.Offset || got.Size != c.Size || !bytes.Equal(got.Body, body) {
		t.Fatalf("%+v, %v", got, err)
	}
	for name, bad := range map[string]Chunk{
		"between leaves": {Offset: 1, Size: 1, Body: []byte("x")},
		"negative":       {Offset: -LeafSize, Size: 1, Body: []byte("x")},
		"empty":          {Offset: 0, Size: 0},
		"overflow":       {Offset: 1<<63 - LeafSize, Size: 1<<63 - 1, Op: OpSame},
		"too large":      {Size: MaxChunk + 1, Op: OpS2, Body: []byte("x")},
		"other length":   {Size: 2, Body: []byte("x")},
		"unknown":        {Size: 1, Op: 4, Body: []byte("x")},
		"patch of same":  {Size: 1, Op: OpSame | OpPatch},
		"same with body": {Size: 1, Op: OpSame, Body: []byte("x")},
	} {
		if _, err := ParseChunk(append(bad.Head(), bad.Body...)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func FuzzCheckPath(f *testing.F) {
	for _, p := range []string{"a/b", "../x", "/x", "a/../b", "a\x00b", ".", "a//b", `a\b`} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p string) {
		if CheckPath(p) != nil {
			return
		}
		joined := path.Join("/root/dir", p)
		if !strings.HasPrefix(joined, "/root/dir/") || joined != "/root/dir/"+p {
			t.Errorf("%q leads to %q", p, joined)
		}
	})
}

func TestTreeSum(t *testing.T) {
	tree := Tree{"a": {Size: 1, Sum: Sum{1}}, "b": {Size: 2, Exec: true, Sum: Sum{2}}}
	sum := tree.Sum()
	for name, other := range map[string]Tree{
		"content": {"a": {Size: 1, Sum: Sum{9}}, "b": tree["b"]},
		"mode":    {"a": {Size: 1, Exec: true, Sum: Sum{1}}, "b": tree["b"]},
		"size":    {"a": {Size: 3, Sum: Sum{1}}, "b": tree["b"]},
		"path":    {"c": tree["a"], "b": tree["b"]},
		"fewer":   {"a": tree["a"]},
	} {
		if other.Sum() == sum {
			t.Errorf("another %s gives the same sum", name)
		}
	}
	b, err := json.Marshal(tree)
	var back Tree
	if err != nil || json.Unmarshal(b, &back) != nil || back.Sum() != sum {
		t.Errorf("by JSON: %s, %v", b, err)
	}
}

func TestLeaves(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 3*LeafSize/16)
	content = append(content, "tail"...)
	whole := AppendLeaves(nil, content)
	parts := AppendLeaves(AppendLeaves(nil, content[:LeafSize]), content[LeafSize:])
	if len(whole) != LeafCount(int64(len(content))) || SumOf(whole) != SumOf(parts) {
		t.Error("the sum depends on how the file was cut")
	}
	if LeafCount(0) != 0 || LeafCount(1) != 1 || LeafCount(LeafSize) != 1 || LeafCount(LeafSize+1) != 2 {
		t.Error("leaves are counted wrongly")
	}
}
