package kernel

// Injected is how often a [Faulty] did wrong, by what it did; but for the Nth
// call, of which Fired tells.
type Injected struct {
	Refused   uint64 // connects that were ECONNREFUSED
	SendAgain uint64 // sends that were EAGAIN
	SendCut   uint64 // sends that were offered more than they could take
	RecvAgain uint64 // recvs and splices that were EAGAIN
	RecvCut   uint64 // recvs and splices that asked for more than they could have
	Reset     uint64 // recvs and splices that were ECONNRESET
	WriteCut  uint64 // writes that were offered more than they could take
	Slow      uint64 // calls to files and names that took longer
}

// Add adds another's, for the sum of several loops.
func (i *Injected) Add(o Injected) {
	i.Refused += o.Refused
	i.SendAgain += o.SendAgain
	i.SendCut += o.SendCut
	i.RecvAgain += o.RecvAgain
	i.RecvCut += o.RecvCut
	i.Reset += o.Reset
	i.WriteCut += o.WriteCut
	i.Slow += o.Slow
}

// Injected tells what has been done wrong up to now. Like every call but Wake,
// asking for it is for the Kernel's own goroutine.
func (f *Faulty) Injected() Injected {
	i := f.injected
	i.WriteCut, i.Slow = f.disk.cut.Load(), f.disk.slow.Load()
	return i
}
