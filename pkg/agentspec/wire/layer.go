package wire

// Layer asks an agent that makes layers (agentspec.LayersArgument) for one: it reads
// an older layer from a registry, and puts the newer one beside it. Chunks follow that
// give each byte of the newer one's content once, as those of file 0 of a transaction.
type Layer struct {
	// Blobs is the address of the repository's blobs: https://host/v2/shop/api/blobs/
	Blobs string `json:"blobs"`
	// Authorization is the header of requests to the registry, or empty.
	Authorization string      `json:"authorization,omitempty"`
	From          LayerOnDisk `json:"from"`
	To            LayerOnDisk `json:"to"`
}

// LayerOnDisk is a layer as a registry has it: compressed with zstd.
type LayerOnDisk struct {
	Digest string `json:"digest"` // of what the registry has: sha256:...
	Size   int64  `json:"size"`   // of the content, in bytes
}

// MaxLayer is the largest content of a layer that an agent makes, in bytes: it holds
// both in its memory.
const MaxLayer = 96 << 20

// Layered says that the registry has the layer, or why not.
type Layered struct {
	Error string `json:"error,omitempty"`
}
