package config

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"dhbot/auth"
	"dhbot/internal/pager"
	"dhbot/internal/secret"
	"dhbot/internal/store/endpoint"
	"dhbot/internal/strictyaml"
)

// Escalation configures who is notified when an incident has no owner, or when no one approves
// or denies a Sev 1 request.
type Escalation struct {
	After  time.Duration
	People []string
	Group  string // a user group of Slack, S…
	// Level is the least severe level whose incidents are escalated.
	Level int
	Page  *Page // nil for none
}

// Page is a pager. Load sets its secrets.
type Page struct {
	After      time.Duration
	Shape      string // pagerduty or alertmanager
	URL        secret.Text
	RoutingKey secret.Text
	CAFile     string
}

// Name is the product name of the pager, as shown to people.
func (p *Page) Name() string {
	return map[string]string{pager.PagerDuty: "PagerDuty", pager.Alertmanager: "Alertmanager"}[p.Shape]
}

const (
	defaultEscalate = 5 * time.Minute
	defaultPage     = 10 * time.Minute
)

var userGroupID = regexp.MustCompile(`^S[A-Z0-9]{2,}$`)

// readEscalation reads the escalation of a cluster. People and roles must have been read
// before.
func (b *builder) readEscalation(cluster string, v strictyaml.Value) {
	if !v.There() {
		return
	}
	o := v.Object(keysOf[escalationKeys]()...)
	e := Escalation{
		After: o.Get("after").Duration(30*time.Second, 24*time.Hour, defaultEscalate),
		Group: o.Get("group").Text(),
		Level: o.Get("level").Number(1, 3, 1),
	}
	group := o.Get("group")
	if e.Group != "" && !userGroupID.MatchString(e.Group) {
		group.Problem(fmt.Sprintf("%q is not a user group id", e.Group), "write the id (S…), which Slack shows in the group's menu, not its name")
	}
	for _, item := range o.Get("people").Texts() {
		if name := item.Text(); b.mayBeCalled(cluster, item, name) {
			e.People = append(e.People, name)
		}
	}
	if page := o.Get("page"); page.There() {
		e.Page = b.readPage(page)
	}
	switch {
	case e.Group != "" && o.Get("people").There():
		group.Problem("people and group are both set", "keep only one of them")
	case e.Group == "" && !o.Get("people").There() && e.Page == nil && !o.Broken:
		v.Problem("the escalation notifies no one", "write people: [NAME], group: S…, or page:")
	}
	if e.Page != nil && e.Page.After < e.After {
		o.Get("page").Problem("the pager would be alerted before the people are mentioned", fmt.Sprintf("write after: %s or more", strictyaml.Short(e.After)))
	}
	if _, watched := b.config.Watches[cluster]; !watched {
		v.Warning("incidents of "+cluster+" are not escalated: the cluster has no background monitoring", "write watch: {channel: C…}")
	}
	if b.config.Escalations == nil {
		b.config.Escalations = map[string]Escalation{}
	}
	b.config.Escalations[cluster] = e
}

// mayBeCalled reports whether a person can be mentioned by an escalation, and can act on it.
func (b *builder) mayBeCalled(cluster string, item strictyaml.Value, name string) bool {
	rules := &b.config.Rules
	at := slices.IndexFunc(rules.People, func(p auth.Person) bool { return p.Name == name })
	var names []string
	for _, p := range rules.People {
		names = append(names, p.Name)
	}
	roles := rules.Clusters[cluster]
	switch {
	case at < 0:
		item.Problem(fmt.Sprintf("there is no person %q", name), strictyaml.Meant(name, names, "the people are "))
		return false
	case len(rules.People[at].Accounts) == 0:
		item.Problem(name+" has no Slack account and cannot be mentioned", "name another person, or add the account")
		return false
	case !slices.Contains(roles[auth.Operator], name) && !slices.Contains(roles[auth.Approver], name):
		item.Problem(fmt.Sprintf("%s is neither operator nor approver of %s, and so could not act", name, cluster), "name another person, or give them one of these roles")
		return false
	}
	return true
}

func (b *builder) readPage(v strictyaml.Value) *Page {
	o := v.Object(keysOf[pageKeys]()...)
	p := &Page{After: o.Get("after").Duration(time.Minute, 24*time.Hour, defaultPage), CAFile: o.Get("ca").Text()}
	shape := o.Need("shape", "write pagerduty or alertmanager")
	p.Shape = shape.Text()
	if p.Shape != "" && p.Name() == "" {
		shape.Problem(fmt.Sprintf("the bot has no pager API %q", p.Shape), "write pagerduty or alertmanager")
	}
	at, in := o.Get("url"), o.Get("url_file")
	switch {
	case at.There() && in.There():
		in.Problem("url and url_file are both set", "keep only one of them")
	case in.Text() != "":
		b.files = append(b.files, file{in, secretFile, &p.URL})
	case at.Text() != "":
		if why := wrongURL(at.Text()); why != "" {
			at.Problem(why, "write https://HOST/PATH, or put an address with a token or password into url_file")
		}
		p.URL = secret.New(at.Text())
	case p.Shape == pager.PagerDuty:
		p.URL = secret.New(pager.EventsURL)
	case p.Shape == pager.Alertmanager:
		o.Problem("the address of Alertmanager is missing", "write url: https://HOST/api/v2/alerts")
	}
	key := o.Get("routing_key_file")
	switch {
	case key.Text() != "":
		b.files = append(b.files, file{key, secretFile, &p.RoutingKey})
	case p.Shape == pager.PagerDuty:
		o.Problem("PagerDuty's routing key is missing", "write routing_key_file: the path of a file that holds it, mode 0600")
	}
	if ca := o.Get("ca"); ca.Text() != "" {
		b.files = append(b.files, file{Value: ca, is: plainFile})
	}
	return p
}

// wrongURL returns why alerts cannot be sent to an address, or "" if they can. An address
// without TLS must be on this machine.
func wrongURL(address string) string {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return "this is not a web address"
	case u.User != nil:
		return "this address contains a password"
	case u.Scheme == "http" && !endpoint.Loopback(u.Hostname()):
		return "alerts would be sent unencrypted"
	default:
		return ""
	}
}

// checkPages checks the pager URLs that were read from files.
func (b *builder) checkPages() {
	for _, f := range b.files {
		if strings.HasSuffix(f.Key, "page.url_file") && f.into != nil && !f.into.IsZero() {
			if why := wrongURL(f.into.Reveal()); why != "" {
				f.Problem(why, "write https://HOST/PATH into the file")
			}
		}
	}
}

// EscalationLines lists for each cluster who is notified when no one responds.
func (c *Config) EscalationLines() []string {
	var out []string
	for _, cl := range c.Fleet.Clusters {
		e, on := c.Escalations[cl.Name]
		if !on {
			out = append(out, fmt.Sprintf("%s does not escalate: the config has no clusters.%s.escalation", cl.Name, cl.Name))
			continue
		}
		line := cl.Name + " escalates incidents without an owner, and Sev 1 requests that no one approved or denied"
		if who := strings.Join(e.People, ", ") + e.Group; who != "" {
			line += fmt.Sprintf(", after %s to %s", strictyaml.Short(e.After), who)
		}
		if e.Page != nil {
			line += fmt.Sprintf(", after %s to %s", strictyaml.Short(e.Page.After), e.Page.Name())
		}
		out = append(out, line)
	}
	return out
}
