package lint

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"dhbot/runbooks"
)

var runningCheck = regexp.MustCompile(`(?i)^check (the )?(process|service) is running\b`)

// expected is the process that a supervisor's command must have as its target: the process that
// the block's label names, or else the process of the section.
func (c *check) expected() string {
	label := strings.TrimSpace(c.block.label)
	verb, _, _ := strings.Cut(strings.ToLower(label), " ")
	switch {
	case isProcedure(label), runningCheck.MatchString(label):
		return c.block.process
	case slices.Contains([]string{"restart", "start", "stop"}, verb):
		return c.know.mentioned(label)
	default:
		return ""
	}
}

// wrongProcess finds a supervisor's command for a process other than the expected process, or a
// log of a process other than the section's.
func wrongProcess(c *check, call *call) []string {
	want := c.expected()
	_, service, ok := call.supervised()
	if p, known := c.know.service(service); ok && known && want != "" && p.ID != want {
		right, _ := c.know.catalog.Process(want)
		return one("this acts on %s, but the text is about %s (%s); write %q",
			service, right.ID, c.about(), strings.Replace(call.text, service, right.Service, 1))
	}
	if ok || c.block.process == "" {
		return nil
	}
	return c.wrongLog(call)
}

func (c *check) about() string {
	if c.block.section != "" {
		return fmt.Sprintf("section %q", c.block.section)
	}
	return fmt.Sprintf("%q", c.block.label)
}

// wrongLog finds a command that reads a log of a process other than the section's process.
func (c *check) wrongLog(call *call) []string {
	if !slices.Contains([]string{"cat", "tail", "less", "grep", "ls", "head"}, call.program()) {
		return nil
	}
	p, _ := c.know.catalog.Process(c.block.process)
	for _, w := range pathWords(call.args()) {
		dir, name := path.Split(w.text)
		owner := c.ownerOf(path.Base(dir), name)
		if !strings.HasPrefix(dir, c.know.catalog.LogRoot+"/") || owner == "" || owner == p.ID {
			continue
		}
		return one("this is the log of %s, but the text is about %s (%s)", owner, p.ID, c.about())
	}
	return nil
}

// ownerOf returns the id of the process that has a log with this directory and name. It returns ""
// if no process or several processes have such a log.
func (c *check) ownerOf(dir, name string) string {
	owner := ""
	for _, p := range c.know.catalog.Processes() {
		stdout := p.Logs.Stdout != "" && strings.HasPrefix(name, p.Logs.Stdout+".log.")
		if p.Logs.Dir == dir && (slices.Contains(p.Logs.App, name) || stdout) {
			if owner != "" {
				return ""
			}
			owner = p.ID
		}
	}
	return owner
}

// missingCommand finds a block that should restart, start or stop a process, but has only the name
// of the process.
func (c *check) missingCommand() {
	name := strings.TrimSpace(c.block.lines[0].text)
	id := c.know.named(name)
	if !isProcedure(c.block.label) || id == "" {
		return
	}
	p, _ := c.know.catalog.Process(id)
	verb := strings.ToLower(strings.Fields(strings.TrimRight(c.block.label, ":"))[0])
	write := append(slices.Clone(c.know.catalog.Monit), verb, p.Service)
	if p.Manager == runbooks.Systemd {
		write = []string{"sudo", "systemctl", verb, p.Service}
	}
	c.report(c.block.lines[0].no, "no-command", fmt.Sprintf("this is only a name, without a command; write %q", strings.Join(write, " ")))
}

// unknownService finds a name that the supervisor does not know.
func unknownService(c *check, call *call) []string {
	_, service, ok := call.supervised()
	if !ok || call.program() != "monit" || service == "all" || strings.ContainsAny(service, "<[$") {
		return nil
	}
	if _, known := c.know.service(service); known {
		return nil
	}
	if others := c.know.elsewhere(service); len(others) > 0 {
		return one("the catalog %s has no service %s; only the catalog %s has it", c.know.catalog.Name, service, list(others))
	}
	text := fmt.Sprintf("monit has no service %q", service)
	if id := c.know.named(service); id != "" {
		p, _ := c.know.catalog.Process(id)
		text += fmt.Sprintf("; write %q", strings.Replace(call.text, service, p.Service, 1))
	}
	return []string{text + ", or name the service in a catalog of your own"}
}

// differs finds a command that differs from the catalog's command.
func differs(c *check, call *call) []string {
	for _, w := range append(slices.Clone(call.assigns), sudoEnv(call)...) {
		dir, ok := strings.CutPrefix(w.text, "DH_ETCD_DIR=")
		if want := c.know.catalog.EtcdClientDir; ok && !strings.HasPrefix(dir, want+"/") {
			return one("the catalog %s has the etcd client directories in %s", c.know.catalog.Name, want)
		}
	}
	if call.sudo == nil || reload(c, call) != nil {
		return nil // another rule reports it
	}
	if n, ok := c.know.misused(call); ok {
		return one("service starts and stops services, and has no %s; for %s the catalog %s runs %q", call.operands()[1].text, n.action, c.know.catalog.Name, n.text)
	}
	alike := c.know.like(call)
	if len(alike) == 0 || slices.ContainsFunc(alike, func(n known) bool { return n.user == call.user() }) {
		return nil
	}
	return one("this runs as %s; for %s the catalog %s runs %q", call.user(), alike[0].action, c.know.catalog.Name, alike[0].text)
}

func sudoEnv(call *call) []word {
	if call.sudo == nil {
		return nil
	}
	return call.sudo.env
}
