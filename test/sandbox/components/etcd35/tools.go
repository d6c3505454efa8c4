//go:build tools

// Package tools keeps the programs that are built from this module in its graph. Its own: etcd 3.6 and 3.5 are one module path.
package tools

import (
	_ "go.etcd.io/etcd/etcdutl/v3"
	_ "go.etcd.io/etcd/server/v3"
)
