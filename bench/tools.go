package main

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
)

// curlMost is how many transfers a curl does at once: from 8.16.0 on 65,535,
// before that 300, and whoever asks for more gets the default of 50
// (MAX_PARALLEL in tool_main.h).
func curlMost(version string) int {
	var major, minor int
	if _, err := fmt.Sscanf(version, "curl %d.%d", &major, &minor); err == nil && (major > 8 || major == 8 && minor >= 16) {
		return 65_535
	}
	return 300
}

func tooManyForCurl(p peer, load workload) string {
	version, err := exec.Command(p.program, "-q", "--version").Output()
	if err != nil {
		return fmt.Sprintf("it does not say its version: %v", err)
	}
	if most := curlMost(string(version)); load.Conns > most {
		return fmt.Sprintf("its --parallel-max ends at %d", most)
	}
	return ""
}

// wrkTime is how long wrk asks for the first body again and again. It reads no
// list, counts nothing down, and throws away what it gets.
const wrkTime = "2s"

func wrkArgs(run job) []string {
	args := []string{"-t", "1", "-c", run.conns(), "-d", wrkTime}
	if run.NewConns {
		args = append(args, "-H", "Connection: close")
	}
	return append(args, run.first)
}

func noListForWrk(_ peer, load workload) string {
	switch {
	case load.drips() || load.Size < 10_240 || load.Hosts > 1:
		return "it reads no list"
	case load.Resumes:
		return "it resumes no session"
	}
	return ""
}

var wrkSaid = regexp.MustCompile(`(\d+) requests in [^,]+, ([0-9.]+)([KMGT]?)B read`)

// wrkFetches is how many requests wrk has made, if it has read as many bytes as
// their bodies have.
func wrkFetches(said []byte, load workload) (int, error) {
	if bytes.Contains(said, []byte("Non-2xx")) || bytes.Contains(said, []byte("Socket errors")) {
		return 0, errors.New("not all was well")
	}
	m := wrkSaid.FindSubmatch(said)
	if m == nil {
		return 0, errors.New("it does not say how much it fetched")
	}
	fetches, _ := strconv.Atoi(string(m[1]))
	read, _ := strconv.ParseFloat(string(m[2]), 64)
	for unit := "KMGT"; len(m[3]) > 0 && len(unit) > 0; unit = unit[1:] {
		read *= 1024
		if unit[0] == m[3][0] {
			break
		}
	}
	const rounded = 0.005 // it writes two decimals
	if want := float64(fetches) * float64(load.Size); fetches == 0 || read < want*(1-rounded) {
		return 0, fmt.Errorf("%d requests, but %.0f bytes", fetches, read)
	}
	return fetches, nil
}
