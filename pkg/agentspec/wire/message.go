package wire

import "time"

// Hello opens a connection.
type Hello struct {
	Version int    `json:"version"`
	Token   string `json:"token"`
}

// Welcome answers a Hello with everything that zr has to know.
type Welcome struct {
	Version int    `json:"version"`
	Status  Status `json:"status"`
	Files   Tree   `json:"files"` // what the folder holds
}

// Phase is what the process is doing.
type Phase string

// The phases of the process.
const (
	Starting Phase = "starting" // runs, has not answered as healthy yet
	Healthy  Phase = "healthy"  // runs, and answers its readiness probe
	Unready  Phase = "unready"  // runs, and has stopped to answer its readiness probe
	Down     Phase = "down"     // ended by itself; it is started again after a pause
)

// Status is what the container runs now.
type Status struct {
	// Seq grows with every change, so that the newer of two can be told.
	Seq uint64 `json:"seq"`
	// Boot is another one after every start of the container.
	Boot string `json:"boot"`
	// Build is the hash of the code that runs.
	Build string `json:"build"`
	// Tree is the hash of the files that the folder holds.
	Tree  Sum   `json:"tree"`
	Phase Phase `json:"phase"`
	Pid   int   `json:"pid,omitempty"`
	// Restarts counts the starts of the process that nobody asked for.
	Restarts int `json:"restarts"`
	// Reason says why the process is down or unready, or why the newest version
	// was taken back; Output holds the last lines that it wrote.
	Reason string   `json:"reason,omitempty"`
	Output []string `json:"output,omitempty"`
	// RolledBack says that the version before the newest runs, because that
	// ended soon after it had been healthy.
	RolledBack bool `json:"rolledBack,omitempty"`
	// Told is how often the kubelet was told another verdict on the process than
	// before. It is odd where the kubelet takes the process for ready: always, where
	// it does not ask.
	Told int `json:"told,omitempty"`
}

// Begin opens a transaction: nothing is visible in the folder before its
// Commit. A newer Begin ends an older transaction that was not committed.
type Begin struct {
	Tx    uint32    `json:"tx"` // greater than that of every earlier one of the connection
	Files []NewFile `json:"files,omitempty"`
	Gone  []string  `json:"gone,omitempty"`  // files to delete
	Touch []string  `json:"touch,omitempty"` // files to put in place once more, for a watcher that missed them
}

// NewFile is a file that the transaction writes.
type NewFile struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
	Exec bool   `json:"exec,omitempty"`
	// Base is the sum of the version at the same path that the chunks refer
	// to, where they do.
	Base Sum `json:"base,omitzero"`
}

// Commit closes a transaction. The agent carries it out when every byte is
// there, every sum is right and the folder will hold exactly Tree; otherwise
// nothing changes.
type Commit struct {
	Tx   uint32 `json:"tx"`
	Sums []Sum  `json:"sums,omitempty"` // of Begin.Files, in their order
	Tree Sum    `json:"tree"`           // of the whole folder afterwards
	// Build is the hash of the code that the folder then holds.
	Build string `json:"build,omitempty"`
	// Restart swaps the process for one that is started from the new files.
	Restart bool `json:"restart,omitempty"`
	// Timeout is how long the new process has to get healthy. Default:
	// HealthTimeout.
	Timeout time.Duration `json:"timeout,omitempty"`
}

// HealthTimeout is how long a new process has to get healthy where zr does not say. It
// is ten times what a Go service with a database takes on a loaded machine, and still
// short enough to wait for.
const HealthTimeout = 10 * time.Second

// Abort ends a transaction that was not committed.
type Abort struct {
	Tx uint32 `json:"tx"`
}

// Written says that the files of a transaction that swaps the process are in the
// folder: the next transaction may begin. Where nothing is swapped, the Result
// comes as soon.
type Written struct {
	Tx uint32 `json:"tx"`
}

// AckEvery is how many bytes of chunks the agent reads between two Acks.
const AckEvery = 64 << 10

// Outcome is how a transaction ended.
type Outcome string

// The outcomes.
const (
	Done       Outcome = "done"        // the files are in place and, where asked for, the process is healthy
	RolledBack Outcome = "rolled back" // the new version did not get healthy; the last good one is back
	Unhealthy  Outcome = "unhealthy"   // the new version did not get healthy and there is no good one to go back to
	Superseded Outcome = "superseded"  // a newer transaction came before the new version was healthy
	Moved      Outcome = "moved"       // the folder does not hold what zr believes; nothing changed
	Failed     Outcome = "failed"      // nothing changed; Error says why
)

// Result ends a transaction.
type Result struct {
	Tx      uint32  `json:"tx"`
	Outcome Outcome `json:"outcome"`
	// Error says why the outcome is neither Done nor Superseded.
	Error string `json:"error,omitempty"`
	// Output is what a version that did not get healthy wrote last.
	Output []string `json:"output,omitempty"`
	Times  Times    `json:"times"`
	// Status is what the container runs and holds now.
	Status Status `json:"status"`
}

// Times is how long the parts of a transaction took inside the container.
// They follow each other.
type Times struct {
	Received time.Duration `json:"received"` // from Begin to the last chunk
	Written  time.Duration `json:"written"`  // sums checked, files in place
	Stopped  time.Duration `json:"stopped"`  // until the port was free
	Started  time.Duration `json:"started"`  // until the new process ran
	Healthy  time.Duration `json:"healthy"`  // until it answered
	// Restored is from the verdict on a bad version until the last good one
	// answered.
	Restored time.Duration `json:"restored,omitempty"`
}

// LeavesOf asks for the sums of the leaves of a held file.
type LeavesOf struct {
	Path string `json:"path"`
	Sum  Sum    `json:"sum"`
}

// Leaves answers LeavesOf. Sums is empty where the file has changed since.
type Leaves struct {
	Path string `json:"path"`
	Sum  Sum    `json:"sum"`
	Sums []Sum  `json:"sums"`
}

// Bye says why the agent closes the connection.
type Bye struct {
	Reason ByeReason `json:"reason"`
	Detail string    `json:"detail,omitempty"`
}

// ByeReason tells zr whether it makes sense to come back.
type ByeReason string

// The reasons.
const (
	ByeDenied   ByeReason = "denied"   // wrong token: do not come back
	ByeVersion  ByeReason = "version"  // another protocol: do not come back
	ByeReplaced ByeReason = "replaced" // a newer zr took over: do not come back
	ByeProtocol ByeReason = "protocol" // a frame that makes no sense
	ByeStopping ByeReason = "stopping" // the container stops
)
