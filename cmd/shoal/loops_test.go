package main

import (
	"testing"

	"github.com/shoalfetch/shoal/fetch"
)

// sameWithLoops are tests whose outcome must be the same with several loops,
// even if these share one host.
var sameWithLoops = map[string]func(*testing.T){
	"Arguments": TestArguments, "OneSaysNothing": TestOneSaysNothing, "FolderIsMade": TestFolderIsMade, "OutputReplaces": TestOutputReplaces,
	"SecondRunSkips": TestSecondRunSkips, "ListFile": TestListFile, "BadLines": TestBadLines, "Strict": TestStrict, "SlowProducer": TestSlowProducer,
	"FailedAgain": TestFailedAgain, "RestAgain": TestRestAgain, "NetworkIsGone": TestNetworkIsGone, "Faults": TestFaults,
	"IgnoredFlags": TestIgnoredFlags, "StandardOutput": TestStandardOutput, "Discarded": TestDiscarded, "SaveErrors": TestSaveErrors,
	"Overwrite": TestOverwrite, "Limits": TestLimits, "SeveralLists": TestSeveralLists, "FullDisk": TestFullDisk,
	"ReportsSpareTheList": TestReportsSpareTheList, "NeverPastTheProxy": TestNeverPastTheProxy, "Resolve": TestResolve, "RequestFlags": TestRequestFlags,
	"Records": TestRecords, "RecordOfAFileThatIsThere": TestRecordOfAFileThatIsThere, "RecordIsOneWrite": TestRecordIsOneWrite,
	"RecordsThatCannotBeWritten": TestRecordsThatCannotBeWritten, "Silent": TestSilent, "FailuresAreLines": TestFailuresAreLines,
	"FailuresAreHarmless": TestFailuresAreHarmless, "ManyFailures": TestManyFailures, "AllAddressesFail": TestAllAddressesFail,
	"Usage": TestUsage, "RefusedBeforeAnythingIsMade": TestRefusedBeforeAnythingIsMade, "Nginx": TestNginx,
	"Zoo": TestZoo, "Believed": TestBelieved, "Ends": TestEnds, "KeyLogOfBothEnds": TestKeyLogOfBothEnds, "KeyLogFile": TestKeyLogFile,
	"KeyLogLost": TestKeyLogLost, "TrustFiles": TestTrustFiles, "InsecureIsLoud": TestInsecureIsLoud,
}

// sameForAHost are tests of what is limited or counted for each host.
var sameForAHost = map[string]func(*testing.T){
	"RecordOfReuse": TestRecordOfReuse, "ReuseOverTLS": TestReuseOverTLS, "FailEarly": TestFailEarly,
}

// TestEverythingWithLoops: options mean the same with several loops as with one
// (github.com/curl/curl/issues/15261).
func TestEverythingWithLoops(t *testing.T) {
	flagsToo = []string{"--loops", "2"}
	t.Cleanup(func() { flagsToo = nil })
	for name, test := range sameForAHost {
		t.Run(name, test)
	}
	spread(t)
	for name, test := range sameWithLoops {
		t.Run(name, test)
	}
}

// spread deals URLs for the rest of a test as if each had a host of its own.
func spread(t *testing.T) {
	before := hostOf
	hostOf = func(r *fetch.Request) (string, error) {
		_, err := before(r)
		return r.URL, err
	}
	t.Cleanup(func() { hostOf = before })
}
