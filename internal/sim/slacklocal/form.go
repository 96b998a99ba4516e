package slacklocal

import (
	"fmt"
	"maps"
)

// Submission is a person's submission of a modal. See fillState for the format of Values.
type Submission struct {
	User   string `json:"user"`
	ViewID string `json:"view_id"`
	Values object `json:"values"`
}

// modal finds an open modal of a user. The caller locks.
func (s *Server) modal(user, id string) (Person, *view, error) {
	p, ok := s.ws.person(user)
	if !ok {
		return p, nil, fmt.Errorf("the workspace has no person %q", user)
	}
	x := s.views.find(id, "")
	if x == nil || x.user != p.ID || x.wire["type"] != "modal" {
		return p, nil, fmt.Errorf("%s has no form %q open", p.Name, id)
	}
	return p, x, nil
}

// Submit sends a form to the app, and executes the answer in the app's ack. Without an ack the form
// stays open, as in Slack.
func (s *Server) Submit(in Submission) (*Answer, error) {
	s.mu.Lock()
	p, x, err := s.modal(in.User, in.ViewID)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	blocks, _ := x.wire["blocks"].([]any)
	values, err := fillState(blocks, in.Values)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	open := x.wire
	sent := maps.Clone(open)
	sent["state"] = object{"values": values}
	payload := s.interaction("view_submission", p)
	payload["view"] = sent
	payload["response_urls"] = []any{}
	s.mu.Unlock()

	answer, how := s.hub.deliver(envelope{kind: "interactive", payload: payload, accepts: true})
	if how != acked {
		return &Answer{Error: operationTimeout, View: open}, nil
	}
	errs, err := s.answerSubmission(x, answer)
	if err != nil {
		return &Answer{Error: err.Error(), View: open}, nil
	}
	return &Answer{OK: len(errs) == 0, Errors: errs}, nil
}

// CloseView closes a modal without submitting it. The app gets an event if the modal has
// notify_on_close.
func (s *Server) CloseView(user, id string) (*Answer, error) {
	s.mu.Lock()
	p, x, err := s.modal(user, id)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	s.views.close(x)
	s.feed.view(p.ID)
	payload := s.interaction("view_closed", p)
	payload["view"], payload["is_cleared"] = x.wire, false
	notify, _ := x.wire["notify_on_close"].(bool)
	s.mu.Unlock()
	if notify {
		if _, how := s.hub.deliver(envelope{kind: "interactive", payload: payload}); how != acked {
			return &Answer{Error: operationTimeout}, nil
		}
	}
	return &Answer{OK: true}, nil
}

// OpenHome opens the app's Home tab for a user, and sends the event to the app. The answer has the
// tab that was published before. In response to the event, the app may publish a new one.
func (s *Server) OpenHome(user string) (*Answer, error) {
	s.mu.Lock()
	p, ok := s.ws.person(user)
	if !ok {
		s.mu.Unlock()
		return nil, fmt.Errorf("the workspace has no person %q", user)
	}
	event := object{"type": "app_home_opened", "user": p.ID, "channel": dmID(p.ID), "tab": "home", "event_ts": s.room.stamp()}
	answer := &Answer{OK: true}
	if h := s.views.home[p.ID]; h != nil {
		event["view"], answer.View = h.wire, h.wire
	}
	s.mu.Unlock()
	s.publish(event, false)
	return answer, nil
}
