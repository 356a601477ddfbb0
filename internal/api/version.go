package api

// version is the release of the api. What runs exactly is said by the build
// hash.
const version = "0.1.0"
