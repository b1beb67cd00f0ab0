package kernel

// Call is a kind of call that a Kernel gets, for [Counted] to count and for
// [Faulty] to let fail. Clock, Wake, DescriptorLimit and Close have none: they
// make no system call worth telling of, or, as Wake, come from other goroutines.
type Call uint8

// The kinds of calls.
const (
	CallSocket Call = iota
	CallBind
	CallConnect
	CallSocketError
	CallConnected
	CallSend
	CallRecv
	CallCloseSocket
	CallAdd
	CallModify
	CallRemove
	CallWait
	CallOpenDir
	CallReadDir
	CallCreate
	CallReopen
	CallWrite
	CallSplice
	CallRename
	CallReplace
	CallUnlink
	CallCloseFile

	// AnyCall stands for all kinds, and is how many there are.
	AnyCall
)

var callNames = [...]string{
	CallSocket:      "socket",
	CallBind:        "bind",
	CallConnect:     "connect",
	CallSocketError: "getsockopt",
	CallConnected:   "getpeername",
	CallSend:        "send",
	CallRecv:        "recv",
	CallCloseSocket: "close",
	CallAdd:         "poll_add",
	CallModify:      "poll_modify",
	CallRemove:      "poll_remove",
	CallWait:        "wait",
	CallOpenDir:     "opendir",
	CallReadDir:     "readdir",
	CallCreate:      "create",
	CallReopen:      "reopen",
	CallWrite:       "write",
	CallSplice:      "splice",
	CallRename:      "rename",
	CallReplace:     "replace",
	CallUnlink:      "unlink",
	CallCloseFile:   "closefile",
	AnyCall:         "any",
}

// String is the name of the system call that is made, or of the package's own
// where systems differ.
func (c Call) String() string { return callNames[c] }
