package main

import (
	"fmt"
	"os"
	"syscall"
)

// withDescriptors has dripping workloads with no more connections than a client
// may have descriptors for: most have a file open for each.
func withDescriptors(loads []workload) ([]workload, error) {
	const others = 100
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return nil, fmt.Errorf("getrlimit: %w", err)
	}
	most := int(min(uint64(limit.Max), 1<<30)-others) / 2
	var within []workload
	for _, load := range loads {
		if load.drips() && load.Conns > most {
			fmt.Fprintf(os.Stderr, "bench: %s with %d connections: %d descriptors allow no more\n", load.Name, most, limit.Max)
			load = load.part(most)
		}
		within = append(within, load)
	}
	return within, nil
}
