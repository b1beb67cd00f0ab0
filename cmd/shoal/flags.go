package main

import (
	"math"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/shoalfetch/shoal/fetch"
)

// settings are what the flags say.
type settings struct {
	urls  []string
	lists []string

	dir        string
	output     string
	overwrite  bool
	saveErrors bool
	resume     bool
	polite     bool

	stateFile    string
	skipComplete bool

	conns   int
	perHost int
	loops   int

	fields     fields
	connsGiven bool // by -j, or its other name
	agent      string
	redirects  int
	bodyMost   int64
	headMost   int64
	http10     bool
	ask        ask
	login      login
	cookies    cookieFlags
	compressed bool

	total, connect, firstByte, stall time.Duration

	only4, only6 bool
	hosts        hosts
	recvBuffer   int64
	denyPrivate  bool
	keep         keep
	routes       routes

	trust trust
	tls   *fetch.TLS // what trust comes to; set by check

	proxies  proxyFlags
	proxy    proxyFor   // what they come to; set by check; nil: there are none
	proxyTLS *fetch.TLS // nil: as for servers

	silent   bool
	verbose  bool
	json     string // the file; "-": standard output
	stats    bool
	progress styleValue

	retry   retries
	manners manners

	failed    string
	rest      string
	maxFailed patience
	failEarly bool
	strict    bool

	textbook textbook
	fault    faultValue
}

// The numbers of connections that suit most lists and most servers.
const (
	defaultConns   = 128
	defaultPerHost = 6
)

// mostLoops is the most that --loops takes: one desk could not feed more.
const mostLoops = 64

// group is flags that stand together in the help.
type group struct {
	title string
	flags *pflag.FlagSet
}

// groups are the flag definitions, from which the help comes too.
func (s *settings) groups() []group {
	return []group{
		set("Input and output", s.placeFlags),
		set("Going on with an earlier run", s.againFlags),
		set("Connections", s.connectionFlags),
		set("Requests and responses", s.requestFlags),
		set("Proxies", func(f *pflag.FlagSet) { addProxyFlags(f, &s.proxies) }),
		set("HTTPS", func(f *pflag.FlagSet) { addTrustFlags(f, &s.trust) }),
		set("Time limits (seconds, or with a unit: 0.5, 10s, 2m)", s.timeFlags),
		set("Limits and manners", s.mannerFlags),
		set("Retries", func(f *pflag.FlagSet) { addRetryFlags(f, &s.retry) }),
		set("Reports", s.reportFlags),
		set("When something fails", s.failureFlags),
		set("Textbook", func(f *pflag.FlagSet) { addTextbookFlags(f, &s.textbook) }),
		set("Faults on purpose, for tests", func(f *pflag.FlagSet) { addFaultFlag(f, &s.fault) }),
		set("Accepted for curl's sake; they change nothing", curlFlags),
	}
}

func set(title string, define func(*pflag.FlagSet)) group {
	f := pflag.NewFlagSet(title, pflag.ContinueOnError)
	f.SortFlags = false
	define(f)
	return group{title, f}
}

func (s *settings) placeFlags(f *pflag.FlagSet) {
	f.StringArrayVarP(&s.lists, "input-file", "i", nil, "read URLs from `LIST`, one a line, or objects as --failed writes them; - is standard input; may be given several times")
	f.StringVarP(&s.dir, "output-dir", "d", ".", "save into the folder `DIR` (also -P)")
	f.StringVarP(&s.dir, "directory-prefix", "P", ".", "save into the folder `DIR`: -d by wget's name")
	_ = f.MarkHidden("directory-prefix")
	f.StringVarP(&s.output, "output", "o", "", "save the one URL as `FILE`, replacing it; - is standard output; /dev/null takes any number of URLs")
	f.BoolVar(&s.overwrite, "overwrite", false, "replace files that are there, instead of skipping their URLs")
	f.BoolVar(&s.saveErrors, "save-errors", false, "save responses of a status from 400 too, as successes")
}

func (s *settings) connectionFlags(f *pflag.FlagSet) {
	s.conns, s.perHost, s.loops, s.hosts = defaultConns, defaultPerHost, 1, hosts{}
	f.VarP(countValue{&s.conns, 1, "-j 64"}, "jobs", "j", "have at most N connections at once")
	f.Var(countValue{&s.conns, 1, "--parallel-max 64"}, "parallel-max", "have at most N connections at once: -j by curl's name")
	_ = f.MarkHidden("parallel-max")
	f.Var(countValue{&s.perHost, 1, "--max-per-host 64"}, "max-per-host", "have at most N connections to one host and port")
	f.Var(countValue{&s.loops, 1, "--loops 2"}, "loops", "run N loops, each on a thread of its own, with hosts of its own and its share of -j: for links and servers that one core cannot keep up with; the URLs of one host all go to one loop")
	addKeepFlags(f, &s.keep)
	addRouteFlags(f, &s.routes)
	f.BoolVarP(&s.only4, "ipv4", "4", false, "look up IPv4 addresses only")
	f.BoolVarP(&s.only6, "ipv6", "6", false, "look up IPv6 addresses only")
	f.Var(sizeValue{&s.recvBuffer, 1 << 30}, "recv-buffer", "make the receive buffers of the kernel `SIZE` bytes, which it may round")
	f.BoolVar(&s.denyPrivate, "deny-private", false, "for lists of strangers: fail what leads to this machine, to private networks, or to a cloud's metadata, with the kind private; addresses are judged after each lookup and redirect, those of --resolve too. Of proxies only those of socks5 can be used with it")
	f.Var(s.hosts, "resolve", "take ADDR for the address of HOST, on all its ports: shoal looks up names without them")
}

func (s *settings) requestFlags(f *pflag.FlagSet) {
	s.redirects = 10
	f.VarP(&s.fields, "header", "H", "send a header field, \"NAME: VALUE\", in the place of shoal's own if that has the name; \"NAME;\" has no value, \"NAME:\" takes an earlier -H back, or the field out")
	f.StringVarP(&s.agent, "user-agent", "A", "shoal/"+version, "send `AGENT` as the User-Agent")
	addAskFlags(f, &s.ask)
	addLoginFlags(f, &s.login)
	addCookieFlags(f, &s.cookies)
	f.BoolVar(&s.compressed, "compressed", false, "ask for responses in gzip, deflate, br or zstd, and save what they hold; without it they are asked for as they are, and saved as they come")
	f.BoolVarP(&s.http10, "http1.0", "0", false, "send HTTP/1.0 requests")
	f.Var(countValue{&s.redirects, 0, "--max-redirs 5"}, "max-redirs", "follow at most N redirects; 0 is none")
	f.Var(sizeValue{&s.bodyMost, math.MaxInt64 / 2}, "max-filesize", "fail a body of more than SIZE bytes; k, M and G go by 1024")
	f.Var(sizeValue{&s.headMost, 1 << 30}, "max-header-size", "fail a head of more than SIZE bytes; 64k if not given, and then 16k a line")
}

func (s *settings) timeFlags(f *pflag.FlagSet) {
	s.connect, s.firstByte, s.stall = 10*time.Second, 30*time.Second, 30*time.Second
	f.VarP(durationValue{&s.total, true}, "max-time", "m", "for each URL, from its start to its end; 0 is no limit")
	f.Var(durationValue{&s.connect, false}, "connect-timeout", "for each attempt to connect, and for looking up the name")
	f.Var(durationValue{&s.firstByte, false}, "first-byte-timeout", "from the request to the first byte of the answer")
	f.Var(durationValue{&s.stall, false}, "stall-timeout", "between two bytes of an answer")
	addKeepTimes(f, &s.keep)
}

func (s *settings) reportFlags(f *pflag.FlagSet) {
	f.BoolVarP(&s.silent, "silent", "s", false, "print nothing but fatal errors on standard error, and what was asked for")
	f.BoolVarP(&s.verbose, "verbose", "v", false, "explain each fetch step by step on standard error; with --loops, a line begins with the number of its loop")
	f.StringVar(&s.json, "json", "", "print one JSON object for each URL on standard output, or to `FILE`, which must follow a =; \"line\" in it is the line of the list, or the place on the command line")
	f.Lookup("json").NoOptDefVal = standard
	f.BoolVar(&s.stats, "stats", false, "print the system calls made, by kind, on standard error")
	f.Var(&s.progress, "progress", "show progress as plain lines, as one line that changes, or not at all; by default what suits standard error")
	f.BoolP("help", "h", false, "print this")
	f.BoolP("version", "V", false, "print the version")
}

func (s *settings) failureFlags(f *pflag.FlagSet) {
	f.StringVar(&s.failed, "failed", "", "write what failed, and why, to `FILE`, which -i understands")
	f.StringVar(&s.rest, "rest", "", "write what was not done when the run ended early to `FILE`, which -i understands")
	f.Var(&s.maxFailed, "max-failed", "end the run when more than N have failed, or more than P% of 100 or more")
	f.BoolVar(&s.failEarly, "fail-early", false, "end the run at once when one has failed")
	f.BoolVar(&s.strict, "strict", false, "end the run at a line that is no URL")
}

// curlFlags are there so that a command line for curl need not be changed.
func curlFlags(f *pflag.FlagSet) {
	f.BoolP("location", "L", false, "redirects are followed anyway")
	f.BoolP("remote-name", "O", false, "names come from the URLs anyway")
	f.BoolP("parallel", "Z", false, "fetches go on at once anyway (--parallel-max N is -j N)")
	f.BoolP("fail", "f", false, "a status from 400 fails anyway")
	f.BoolP("show-error", "S", false, "fatal errors are shown anyway")
	f.BoolP("disable", "q", false, "there is no file of settings anyway")
}

// standard is the name of standard input and standard output.
const standard = "-"

// command is the root command; run does what its flags say.
func command(s *settings, run func() error) *cobra.Command {
	c := &cobra.Command{
		Use:   "shoal [flags] URL...",
		Short: "Fetch many URLs at once, on one thread",
		Long: `shoal fetches many URLs at once, on one thread: raw non-blocking sockets and
one readiness loop. Files appear under their names only when they are complete.`,
		Example: `  shoal http://localhost:8080/a.jpg http://localhost:8080/b.jpg
  shoal -i urls.txt -d images/ -j 256 --json > results.jsonl
  producer | shoal -i - -d images/`,
		Args:              cobra.ArbitraryArgs,
		Version:           version,
		SilenceUsage:      true,
		SilenceErrors:     true,
		DisableAutoGenTag: true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		RunE: func(c *cobra.Command, urls []string) error {
			s.urls, s.connsGiven = urls, c.Flags().Changed("jobs") || c.Flags().Changed("parallel-max")
			if err := s.check(); err != nil {
				return err
			}
			return run()
		},
	}
	groups := s.groups()
	c.Flags().SortFlags = false
	for _, g := range groups {
		c.Flags().AddFlagSet(g.flags)
	}
	c.SetVersionTemplate("shoal {{.Version}}\n")
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	setHelp(c, groups)
	return c
}
