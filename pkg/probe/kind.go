package probe

import "slices"

// Kind is one way to find out whether a service is healthy, and what the rest of
// zr knows of it. Who asks depends on the kind: the kubelet or the agent what a
// manifest has, the gate what the config names.
type Kind struct {
	Name string
	// InConfig says that the config of a service may name it, so that the gate
	// asks, through a port-forward to a pod.
	InConfig bool
	// Port says that a port is asked.
	Port bool
	// Secrets are those of the environment that the gate signs in with.
	Secrets []string
	// Protocols are what the port of such a server is called in manifests: its
	// appProtocol, or the first part of its name ("http-metrics").
	Protocols []string
	// Opening is what a client may say first, without signing in. Any server of the
	// kind has an answer to it. Nil where none is known.
	Opening []byte
}

// The names of the kinds.
const (
	HTTP      = "http"      // GET, which 200 to 399 answer, as for the kubelet
	TCP       = "tcp"       // a port accepts a connection
	GRPC      = "grpc"      // the gRPC health protocol
	Exec      = "exec"      // a command in the container
	Postgres  = "postgres"  // SELECT 1
	Redis     = "redis"     // PING
	MySQL     = "mysql"     // SELECT 1, of MySQL and MariaDB
	Memcached = "memcached" // version
	Rollout   = "rollout"   // nothing is asked: the rollout alone
)

// Kinds are all that zr knows. Those that manifests have are asked by an Asker,
// those of stores by pkg/health, which links their drivers.
var Kinds = []Kind{
	{Name: HTTP, InConfig: true, Port: true, Protocols: []string{"http", "https"}},
	{Name: TCP, InConfig: true, Port: true},
	// Opening is the preface of a client, with an empty frame of settings (RFC 9113, 3.4).
	{Name: GRPC, Port: true, Protocols: []string{"grpc", "h2c", "kubernetes.io/h2c"},
		Opening: []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")},
	{Name: Exec},
	// Opening asks whether the server encrypts: length 8, code 80877103. It leaves no
	// line in the server's log.
	{Name: Postgres, InConfig: true, Port: true, Protocols: []string{"postgres", "postgresql"},
		Secrets: []string{"POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB"}, Opening: []byte{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f}},
	// A server that asks for a password first answers as well.
	{Name: Redis, InConfig: true, Port: true, Protocols: []string{"redis"},
		Secrets: []string{"REDIS_USERNAME", "REDIS_PASSWORD"}, Opening: []byte("PING\r\n")},
	// A server speaks first, so that nothing has to be said to it.
	{Name: MySQL, InConfig: true, Port: true, Secrets: []string{"MYSQL_USER", "MYSQL_PASSWORD", "MYSQL_DATABASE", "MYSQL_ROOT_PASSWORD",
		"MARIADB_USER", "MARIADB_PASSWORD", "MARIADB_DATABASE", "MARIADB_ROOT_PASSWORD"}},
	{Name: Memcached, InConfig: true, Port: true, Protocols: []string{"memcache", "memcached"}, Opening: []byte("version\r\n")},
	{Name: Rollout, InConfig: true},
}

// Of returns the kind of a name, the zero one where there is none.
func Of(name string) Kind { return find(func(k Kind) bool { return k.Name == name }) }

// Speaking returns the kind of the servers whose ports are called so, the zero
// one where none is known.
func Speaking(protocol string) Kind {
	return find(func(k Kind) bool { return slices.Contains(k.Protocols, protocol) })
}

func find(is func(Kind) bool) Kind {
	if i := slices.IndexFunc(Kinds, is); i >= 0 {
		return Kinds[i]
	}
	return Kind{}
}

// InConfig returns the names of the kinds that a config may name.
func InConfig() (names []string) {
	for _, k := range Kinds {
		if k.InConfig {
			names = append(names, k.Name)
		}
	}
	return names
}
