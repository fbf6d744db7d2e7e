// Package midterm is a headless stand-in: it keeps lines of text, without formatting.
package midterm

import (
	"bytes"
	"io"
	"strings"
)

type Format struct{}

func (Format) Render() string { return "\x1b[0m" }

var Reset Format

type Terminal struct {
	AutoResizeX   bool
	Width         int
	Height        int
	Content       [][]rune
	SearchMatches []SearchMatch
	cur           bytes.Buffer
}

func NewAutoResizingTerminal() *Terminal { return &Terminal{AutoResizeX: true} }

func (t *Terminal) Write(p []byte) (int, error) {
	t.cur.Write(p)
	text := strings.TrimSuffix(t.cur.String(), "\n")
	t.Content = nil
	if text != "" {
		for _, l := range strings.Split(text, "\n") {
			t.Content = append(t.Content, []rune(l))
		}
	}
	return len(p), nil
}
func (t *Terminal) UsedHeight() int { return len(t.Content) }
func (t *Terminal) ResizeX(int)     {}
func (t *Terminal) Resize(int, int) {}
func (t *Terminal) RenderLine(w io.Writer, row int) error {
	if row < len(t.Content) {
		_, err := io.WriteString(w, string(t.Content[row]))
		return err
	}
	return nil
}

type SearchMatch struct{ Row, Col int }

var _ = io.EOF

func (t *Terminal) Search(string) int               { return 0 }
func (t *Terminal) SearchClear()                    {}
func (t *Terminal) SearchSetCurrent(int) (int, int) { return -1, -1 }
func (t *Terminal) SearchMatchRows() []int          { return nil }
func (t *Terminal) RenderLineFgBg(w io.Writer, row int, fg, bg any) error {
	return t.RenderLine(w, row)
}
