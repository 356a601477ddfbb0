package kind

import "sigs.k8s.io/kind/pkg/apis/config/defaults"

// DefaultNodeImage is the node image that this version of kind was released
// with.
const DefaultNodeImage = defaults.Image
