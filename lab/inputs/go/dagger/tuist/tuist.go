// Package tuist is a headless stand-in: components compile, nothing is drawn.
package tuist

import (
	"io"
	"os"
	"time"

	uv "github.com/charmbracelet/ultraviolet"
)

type Context struct {
	Width  int
	Height int
	lines  *[]string
	extra
}

type extra struct{}

func (c Context) Line(s string) {
	if c.lines != nil {
		*c.lines = append(*c.lines, s)
	}
}
func (c Context) Lines(s ...string) {
	if c.lines != nil {
		*c.lines = append(*c.lines, s...)
	}
}
func (c Context) ScreenHeight() int       { return 24 }
func (c Context) Resize(w, h int) Context { c.Width, c.Height = w, h; return c }
func (c Context) SetFocus(Component)      {}
func (c Context) RequestFocus(Component)  {}
func (c Context) Dispatch(f func())       { f() }
func (c Context) Done() <-chan struct{}   { return nil }

type Component interface{ Render(Context) }
type Focusable interface{ SetFocused(Context, bool) }
type Mounter interface{ OnMount(Context) }
type Dismounter interface{ OnDismount() }
type Interactive interface {
	HandleKeyPress(Context, uv.KeyPressEvent) bool
}
type MouseEnabled interface {
	HandleMouse(Context, MouseEvent) bool
}
type Hoverable interface{ SetHovered(Context, bool) }

type MouseEvent struct {
	uv.MouseEvent
	Row, Col int
}

type Result struct{ Lines []string }

type Compo struct{}

func (*Compo) Update()                              {}
func (*Compo) RenderChild(ctx Context, c Component) { c.Render(ctx) }
func (*Compo) RenderChildResult(ctx Context, c Component) Result {
	var l []string
	ctx.lines = &l
	c.Render(ctx)
	return Result{l}
}
func (o *Compo) RenderChildInline(ctx Context, c Component) string {
	r := o.RenderChildResult(ctx, c)
	if len(r.Lines) == 0 {
		return ""
	}
	return r.Lines[0]
}

type Container struct {
	Compo
	Children []Component
}

func (c *Container) AddChild(x Component) { c.Children = append(c.Children, x) }
func (c *Container) RemoveChild(x Component) {
	for i, k := range c.Children {
		if k == x {
			c.Children = append(c.Children[:i], c.Children[i+1:]...)
			return
		}
	}
}
func (c *Container) Render(ctx Context) {
	for _, k := range c.Children {
		k.Render(ctx)
	}
}

type Spinner struct {
	Compo
	Epoch time.Time
}

func NewSpinner() *Spinner          { return &Spinner{} }
func (*Spinner) Render(ctx Context) { ctx.Line("*") }

type TextInput struct {
	Compo
	Prompt         string
	OnSubmit       func(Context, string) bool
	KeyInterceptor func(Context, uv.KeyPressEvent) bool
	val            string
}

func NewTextInput(string) *TextInput   { return &TextInput{} }
func (t *TextInput) Value() string     { return t.val }
func (t *TextInput) SetValue(s string) { t.val = s }
func (t *TextInput) InsertRune(r rune) { t.val += string(r) }
func (t *TextInput) CursorEnd()        {}
func (t *TextInput) Render(Context)    {}

type Completion struct{ Label, Detail, InsertText, Documentation string }
type CompletionResult struct {
	Items       []Completion
	ReplaceFrom int
}
type CompletionMenu struct{ Compo }

func NewCompletionMenu(*TextInput, func(string, int) CompletionResult) *CompletionMenu {
	return &CompletionMenu{}
}
func (*CompletionMenu) HandleKeyPress(Context, uv.KeyPressEvent) bool { return false }
func (*CompletionMenu) Hide()                                         {}

type Size int

func SizeAbs(n int) Size { return Size(n) }

type Anchor int

const AnchorTopRight Anchor = iota

type OverlayMargin struct{ Top, Right, Bottom, Left int }
type OverlayOptions struct {
	Width  Size
	Anchor Anchor
	Margin OverlayMargin
}
type OverlayHandle struct{}

func (*OverlayHandle) Remove() {}

type Terminal struct{}

func NewStdTerminal() Terminal { return Terminal{} }

type TUI struct{ Container }

func New(Terminal) *TUI                                            { return &TUI{} }
func (*TUI) Start() error                                          { return nil }
func (*TUI) Stop()                                                 {}
func (*TUI) Dispatch(f func())                                     { f() }
func (*TUI) SetFocus(Component)                                    {}
func (*TUI) SetShowHardwareCursor(bool)                            {}
func (*TUI) SetDebugWriter(io.Writer)                              {}
func (*TUI) RequestRender(bool)                                    {}
func (t *TUI) RenderLines() []string                               { return nil }
func (*TUI) ShowOverlay(Component, *OverlayOptions) *OverlayHandle { return &OverlayHandle{} }
func (*TUI) Exec(f func(in io.Reader, out, errOut io.Writer) error) error {
	return f(os.Stdin, os.Stdout, os.Stderr)
}
