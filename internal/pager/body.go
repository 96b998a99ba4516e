package pager

import "time"

// event is the body of a request to PagerDuty's Events API v2
// (https://developer.pagerduty.com/docs/events-api-v2/trigger-events/).
type event struct {
	RoutingKey string   `json:"routing_key"`
	Action     string   `json:"event_action"`
	DedupKey   string   `json:"dedup_key"`
	Payload    *payload `json:"payload,omitempty"`
	Client     string   `json:"client,omitempty"`
	Links      []link   `json:"links,omitempty"`
}

type payload struct {
	Summary   string `json:"summary"`
	Source    string `json:"source"`
	Severity  string `json:"severity"`
	Timestamp string `json:"timestamp"`
	Component string `json:"component"`
	Group     string `json:"group"`
}

type link struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

// alert is an alert for Alertmanager's API v2, POST /api/v2/alerts.
type alert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     string            `json:"startsAt"`
	EndsAt       string            `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

func (p *Pager) body(a Alert, over bool) any {
	if p.Shape == Alertmanager {
		return p.alerts(a, over)
	}
	e := event{RoutingKey: p.RoutingKey.Reveal(), Action: "resolve", DedupKey: a.Key}
	if over {
		return e
	}
	e.Action, e.Client = "trigger", "dhbot"
	e.Payload = &payload{
		Summary: clipped(a.Summary), Source: a.Cluster, Severity: a.Severity,
		Timestamp: a.Began.UTC().Format(time.RFC3339), Component: a.About, Group: a.Cluster,
	}
	if a.Link != "" {
		e.Links = []link{{a.Link, "The message in Slack"}}
	}
	return e
}

func (p *Pager) alerts(a Alert, over bool) []alert {
	end := p.Now()
	if !over {
		end = end.Add(lasts)
	}
	return []alert{{
		Labels: map[string]string{
			"alertname": "DeephavenNeedsAPerson", "cluster": a.Cluster, "about": a.About, "severity": a.Severity,
		},
		Annotations:  map[string]string{"summary": a.Summary},
		StartsAt:     a.Began.UTC().Format(time.RFC3339),
		EndsAt:       end.UTC().Format(time.RFC3339),
		GeneratorURL: a.Link,
	}}
}

// clipped shortens a summary to PagerDuty's limit.
func clipped(s string) string {
	r := []rune(s)
	return string(r[:min(len(r), mostSummary)])
}
