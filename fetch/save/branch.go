package save

import (
	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/kernel"
)

// Branch is a Folder without its names: a fetch.Sink through which one more
// Fetcher saves into the same folder, on a thread of its own. It looks at
// nothing that is there and gives out nothing. Whoever embeds it adds the Reserve
// of a [fetch.Reserver], which must return what the Folder's has returned for the
// request: that is the file's name. A Branch shares nothing with its Folder but
// the path.
type Branch struct{ folder Folder }

// Branch makes a Branch, with the settings that the Folder has now.
func (d *Folder) Branch() *Branch {
	return &Branch{Folder{Overwrite: d.Overwrite, Resume: d.Resume, path: d.path, only: d.only}}
}

// Attach opens the folder, through the kernel of the Branch's own Fetcher.
func (b *Branch) Attach(k kernel.Kernel, beside func(work, done func())) error {
	return b.folder.open(k, beside)
}

// Detach closes the folder.
func (b *Branch) Detach() { b.folder.Detach() }

// Continue implements [fetch.Continuer].
func (b *Branch) Continue(info fetch.OpenInfo) *fetch.Part { return b.folder.Continue(info) }

// Open implements [fetch.Sink].
func (b *Branch) Open(info fetch.OpenInfo) (fetch.Body, error) { return b.folder.Open(info) }
