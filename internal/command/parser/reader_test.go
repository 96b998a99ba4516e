package parser_test

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// reader is a second parser of changes, which shares no code with the package. A test compares the
// two parsers: a change may run only if both derive it. The names are those of grammartest, in the
// cluster prod.
type reader struct {
	words []string
	verb  string
	out   []string // processes
	hosts []string
	in    string
	sure  bool // one target, named unambiguously: it runs without a confirmation
}

var (
	readerVerbs = map[string]string{
		"restart": "process", "bounce": "process", "reboot": "process", "start": "process", "stop": "process", "monitor": "process",
		"restart-all": "cluster", "restart-host": "host", "pq-export": "cluster", "etcd-snapshot": "cluster", "backup": "cluster", "rolling-patch": "cluster", "controller-reload": "cluster",
	}
	readerMeans = map[string]string{"bounce": "restart", "reboot": "restart"}
	readerNames = map[string]string{
		"configuration_server": "configuration_server", "config": "configuration_server", "authentication_server": "authentication_server", "auth": "authentication_server", "auth_server": "authentication_server",
		"iris_controller": "iris_controller", "controller": "iris_controller", "db_dis": "db_dis", "dis": "db_dis", "db_ltds": "db_ltds", "ltds": "db_ltds",
		"db_merge_server": "db_merge_server", "merge": "db_merge_server", "merge_server": "db_merge_server", "tailer1": "tailer1", "tailer": "tailer1", "logtailer": "tailer1", "etcd": "etcd", "dh_etcd": "etcd", "mariadb": "mariadb", "mysql": "mariadb", "maria": "mariadb",
		"db_query_server": "db_query_server", "query": "db_query_server", "query_server": "db_query_server", "dispatcher": "db_query_server", "db_tdcp": "db_tdcp", "tdcp": "db_tdcp",
	}
	readerHosts = map[string][]string{
		"infra-1": {"configuration_server", "authentication_server", "iris_controller", "db_dis", "db_ltds", "db_merge_server", "tailer1", "etcd", "mariadb"},
		"query-1": {"db_query_server", "db_tdcp", "tailer1", "etcd"}, "query-2": {"db_query_server", "db_tdcp", "tailer1", "etcd"},
	}
	readerOpeners = []string{"hey", "hi", "hello", "please", "pls", "can", "could", "you", "would", "kindly", "dh", "/dh", "@dh", "ok", "thanks", "morning", "good", "so", "there", "plz", "will", "u", "we", "i", "•", "-", "1.", "1)", "okay", "*", "bitte"}
	readerLink    = regexp.MustCompile(`<https?://[^|>]*\|([^>]*)>`)
	readerBare    = regexp.MustCompile(`<https?://([^|>/]*)>`)
	readerComma   = regexp.MustCompile(`([^\s,]) ,([^\s,])`) // typed directly before the next word
	readerURL     = regexp.MustCompile(`<(https?://[^|>]*)>`)
	readerPeople  = strings.NewReplacer("<@U0ANNA>", "@anna", "<#C1|incident>", "#incident")
	readerDash    = regexp.MustCompile(`(^|\s)[—–]([A-Za-z])`)
	readerFlag    = regexp.MustCompile(`^-{1,2}[A-Za-z]`)
	readerEmoji   = regexp.MustCompile(`^:[a-z+-][a-z0-9_+-]*:(:skin-tone-\d:)?$`)
	readerDoubt   = regexp.MustCompile(`[?❓❔❌🚫⛔🛑✋🙅👎🤔⏳⌛⏰]|^:(x|no_entry|no_entry_sign|octagonal_sign|stop_sign|raised_hand|hand|no_good|-1|thumbsdown|question|grey_question|thinking_face|hourglass|hourglass_flowing_sand|alarm_clock|negative_squared_cross_mark):`)
	readerParam   = regexp.MustCompile(`^[a-z-]+=\S+$`)
)

// reads parses a text into a request. The result ok is false if the text may run nothing.
func reads(text string) (request string, ok bool) {
	if strings.Contains(text, "```") {
		return "", false
	}
	text = clean(text)
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), ">") {
			return "", false
		}
	}
	r := &reader{words: strings.Fields(text), in: "prod", sure: true}
	for _, w := range r.words {
		if readerFlag.MatchString(strings.Trim(w, "\"'`*()[]")) {
			return "", false
		}
	}
	r.opening()
	if !r.takeVerb() || !r.takeTarget() || !r.takePlaces() || !r.runsThere() {
		return "", false
	}
	reason, ok := r.reason()
	if !ok || readerVerbs[r.verb] == "host" && len(r.hosts) == 0 || !r.sure || len(r.out) > 1 || len(r.hosts) > 1 {
		return "", false
	}
	w := append([]string{r.verb}, r.out...)
	if len(r.hosts) > 0 {
		w = append(w, "on", r.hosts[0])
	}
	return strings.Join(append(w, "in", r.in), " ") + reason, true
}

func clean(text string) string {
	text = readerPeople.Replace(text)
	text = readerLink.ReplaceAllString(text, "$1")
	text = readerBare.ReplaceAllString(text, "$1")
	text = readerURL.ReplaceAllString(text, "$1")
	text = readerDash.ReplaceAllString(text, "$1--$2")
	text = readerComma.ReplaceAllString(text, "$1, $2")
	text = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "»", `"`, "«", `"`, "‘", "'", "’", "'", "–", "-", "&gt;", ">", "&amp;", "&", "&lt;", "<").Replace(text)
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r):
			return -1
		case r >= 0xFF01 && r <= 0xFF5E:
			return r - 0xFEE0
		case r == 0x3000 || r == 0xA0:
			return ' '
		}
		return r
	}, text)
}

// bare returns a word in lower case, without quotes and emphasis.
func bare(w string) string { return strings.ToLower(strings.Trim(w, "\"'`*_")) }

func (r *reader) opening() {
	asks := false
	for len(r.words) > 0 {
		w := strings.Trim(bare(r.words[0]), ",.!:()…;")
		mark := strings.IndexFunc(w, unicode.IsLetter) < 0 && strings.IndexFunc(w, unicode.IsDigit) < 0 && !strings.ContainsAny(w, "?>")
		mark = mark || readerEmoji.MatchString(r.words[0])
		if w != "" && !mark && !slices.Contains(readerOpeners, w) && !slices.Contains(readerOpeners, r.words[0]) {
			break
		}
		asks = asks || w == "can" || w == "could" || w == "would" || w == "will"
		r.words = r.words[1:]
	}
	if n := len(r.words); asks && n > 1 && r.words[n-1] == "?" {
		r.words = r.words[:n-1]
	} else if asks && n > 0 {
		r.words[n-1] = strings.TrimSuffix(r.words[n-1], "?")
	}
}

func (r *reader) takeVerb() bool {
	if len(r.words) == 0 {
		return false
	}
	v := strings.Trim(strings.ReplaceAll(bare(r.words[0]), "_", "-"), ",.:!?()[];…")
	if len(r.words) > 1 {
		second := strings.Trim(bare(r.words[1]), ",.:!?()[];…")
		if second == "everything" {
			second = "all"
		}
		if two := v + "-" + second; readerVerbs[two] != "" && (second != "all" || r.words[1] != "all" || r.nothingNamed(r.words[2:])) {
			r.verb, r.words = two, r.words[2:]
			return true
		}
	}
	v = strings.TrimPrefix(v, "/")
	if readerVerbs[v] == "" {
		return false
	}
	r.verb, r.words = v, r.words[1:]
	if readerMeans[v] != "" {
		r.verb = readerMeans[v]
	}
	return true
}

// nothingNamed reports whether the words after `all` name no process, so that `all` means the
// cluster.
func (r *reader) nothingNamed(w []string) bool {
	for len(w) > 0 && !readerDoubt.MatchString(w[0]) && (readerEmoji.MatchString(w[0]) ||
		strings.IndexFunc(w[0], func(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) }) < 0) {
		w = w[1:]
	}
	return len(w) == 0 || strings.Contains(w[0], "=") || slices.Contains([]string{"in", "on", "at", "because", "reason:", "prod", "qa"}, bare(w[0]))
}

func (r *reader) takeTarget() bool {
	switch readerVerbs[r.verb] {
	case "host":
		if len(r.words) > 0 && slices.Contains([]string{"on", "at", "in", "@"}, bare(r.words[0])) {
			return true // takePlaces reads it
		}
		for len(r.words) > 1 && (bare(r.words[0]) == "the" || bare(r.words[0]) == "on" || bare(r.words[0]) == "host") {
			r.words = r.words[1:]
		}
		if len(r.words) > 1 { // "query 1"
			if two := bare(r.words[0]) + "-" + bare(strings.TrimRight(r.words[1], ",:")); readerHosts[two] != nil {
				r.words = append([]string{two}, r.words[2:]...)
			}
		}
		if len(r.words) == 0 || readerHosts[bare(strings.TrimRight(r.words[0], ",:"))] == nil {
			return false
		}
		r.hosts, r.words = append(r.hosts, bare(strings.TrimRight(r.words[0], ",:"))), r.words[1:]
		return true
	case "cluster":
		if len(r.words) > 0 && (bare(strings.TrimRight(r.words[0], ",:")) == "prod" || bare(strings.TrimRight(r.words[0], ",:")) == "qa") {
			r.in, r.words = bare(strings.TrimRight(r.words[0], ",:")), r.words[1:]
		}
		return true
	}
	for len(r.words) > 1 && slices.Contains([]string{"the", "process", "service"}, bare(r.words[0])) {
		r.words = r.words[1:]
	}
	if len(r.words) == 0 {
		return false
	}
	name := bare(strings.TrimLeft(strings.TrimRight(r.words[0], ",:"), ","))
	process, host, at := strings.Cut(name, "@")
	id := readerNames[strings.ReplaceAll(process, "-", "_")]
	if id == "" {
		return false
	}
	ended := strings.HasSuffix(r.words[0], ",") || strings.HasSuffix(r.words[0], ":")
	r.out, r.words = []string{id}, r.words[1:]
	if at {
		r.hosts = append(r.hosts, host)
		return readerHosts[host] != nil
	}
	if !ended && len(r.words) > 0 {
		next := bare(strings.TrimRight(r.words[0], ",:"))
		kind := slices.Contains([]string{"server", "service", "process", "services", "processes"}, strings.Trim(bare(r.words[0]), ",.:!?()[];…"))
		if kind || readerNames[process+"_"+next] == id || readerNames[process+next] == id {
			r.words = r.words[1:]
		}
	}
	return true
}

// takePlaces reads `on HOST` and `in CLUSTER`. It does not read an unknown place, so that the
// command does not run.
func (r *reader) takePlaces() bool {
	for len(r.words) > 0 {
		w, value := strings.ToLower(r.words[0]), ""
		took := 1
		switch {
		case strings.HasPrefix(w, "host=") || strings.HasPrefix(w, "on=") || strings.HasPrefix(w, "cluster=") || strings.HasPrefix(w, "in=") || strings.HasPrefix(w, "node=") || strings.HasPrefix(w, "hosts="):
			_, value, _ = strings.Cut(w, "=")
		case len(w) > 1 && w[0] == '@':
			value = w[1:]
		case slices.Contains([]string{"on", "in", "at", "@"}, strings.Trim(bare(w), ",.:!?()[];…")) || w == "@":
			for took < len(r.words)-1 && slices.Contains([]string{"host", "hosts", "node", "server", "machine", "the"}, strings.Trim(bare(r.words[took]), ",.:!?()[];…")) {
				took++
			}
			if took >= len(r.words) {
				return false
			}
			value = bare(r.words[took])
			took++
		case w == "again=yes" || w == "anyway=yes":
			r.words = r.words[1:]
			continue
		case readerParam.MatchString(w):
			return false // no verb of this reader accepts a parameter
		default:
			return true
		}
		value = strings.TrimRight(value, ",:")
		if took < len(r.words) && readerHosts[value+"-"+strings.TrimRight(bare(r.words[took]), ",:")] != nil {
			value += "-" + strings.TrimRight(bare(r.words[took]), ",:") // "query 1"
			took++
		}
		switch {
		case value == "prod" || value == "qa":
			r.in = value
		case readerHosts[value] != nil:
			if !slices.Contains(r.hosts, value) {
				r.hosts = append(r.hosts, value)
			}
		default:
			return false
		}
		r.words = r.words[took:]
	}
	return true
}

// runsThere reports whether the target runs in the named places.
func (r *reader) runsThere() bool {
	if r.in == "qa" {
		if len(r.hosts) > 0 || len(r.out) > 0 && r.out[0] != "db_dis" {
			return false
		}
	}
	if len(r.out) == 0 {
		return true
	}
	for _, h := range r.hosts {
		if !slices.Contains(readerHosts[h], r.out[0]) {
			return false
		}
	}
	return true
}

// reason reads the end of a command. Only a marked reason ("because …") or nothing is accepted.
func (r *reader) reason() (string, bool) {
	for len(r.words) > 0 && !readerDoubt.MatchString(r.words[0]) && (readerEmoji.MatchString(r.words[0]) ||
		strings.IndexFunc(r.words[0], func(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) }) < 0 && !strings.ContainsAny(r.words[0], "&/+>|<")) {
		r.words = r.words[1:]
	}
	if len(r.words) == 0 {
		return "", true
	}
	first := strings.Trim(bare(r.words[0]), ",.:!?()[];…")
	if first != "because" && strings.ToLower(r.words[0]) != "reason:" || len(r.words) == 1 {
		return "", false
	}
	text := strings.TrimLeft(strings.Join(r.words[1:], " "), "-—:,; ")
	return " reason " + text, text != ""
}
