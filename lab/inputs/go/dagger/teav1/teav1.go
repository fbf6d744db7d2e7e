package teav1

import (
	tea "github.com/charmbracelet/bubbletea"
	"github.com/vito/tuist"
)

type Wrap struct{ tuist.Compo }

func New(tea.Model) *Wrap          { return &Wrap{} }
func (*Wrap) OnQuit(func())        {}
func (*Wrap) Render(tuist.Context) {}
