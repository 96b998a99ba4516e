package blockkit

import (
	"encoding/json"
	"fmt"

	"github.com/slack-go/slack"

	"dhbot/internal/card"
)

// InputAction is the action id of every input. The block id of an input is its name.
const InputAction = "value"

// FormOrigin is the private metadata of a form. It says what the form is about, and where to
// answer when Slack returns the form.
type FormOrigin struct {
	Action  string `json:"action"`
	Value   string `json:"value"`
	Channel string `json:"channel,omitempty"`
	Thread  string `json:"thread,omitempty"`
}

// Form renders a modal. It shortens texts, and leaves out buttons that do not fit. It returns an
// error if the action is empty or too long, if the value is too long, or if there are too many
// inputs or blocks, because Slack must return the action and the value complete.
func (r Renderer) Form(f card.Form, channel, thread string) (slack.ModalViewRequest, error) {
	origin, err := json.Marshal(FormOrigin{f.Action, f.Value, channel, thread})
	if err != nil {
		return slack.ModalViewRequest{}, fmt.Errorf("the form %q cannot be encoded: %w", f.Action, err)
	}
	switch {
	case f.Action == "" || len(f.Action) > maxActionID:
		return slack.ModalViewRequest{}, fmt.Errorf("the form's action %q is empty or over %d characters", f.Action, maxActionID)
	case len(origin) > maxMetadata:
		return slack.ModalViewRequest{}, fmt.Errorf("the form %q carries a value of %d bytes, over Slack's limit of %d", f.Action, len(origin), maxMetadata)
	case len(f.Inputs) > maxInputs:
		return slack.ModalViewRequest{}, fmt.Errorf("the form %q has %d inputs, but at most %d fit", f.Action, len(f.Inputs), maxInputs)
	}
	m := &Meter{Left: MaxBlocksJSON}
	buttons := r.buttons(f.Buttons, m)
	blocks := r.body(f.Body, m)
	if m.Cut {
		blocks = append(blocks, slack.NewContextBlock("", plain("… shortened to fit this window")))
	}
	blocks = append(blocks, buttons...)
	for _, in := range f.Inputs {
		blocks = append(blocks, inputBlock(in))
	}
	if len(blocks) > maxViewBlocks {
		return slack.ModalViewRequest{}, fmt.Errorf("the form %q has %d blocks, but at most %d fit", f.Action, len(blocks), maxViewBlocks)
	}
	view := slack.ModalViewRequest{
		Type:            slack.VTModal,
		Title:           plain(label(f.Title, maxViewTitle, "dhbot")),
		Blocks:          slack.Blocks{BlockSet: blocks},
		Close:           plain("Close"),
		CallbackID:      f.Action,
		PrivateMetadata: string(origin),
	}
	if len(f.Inputs) > 0 {
		view.Submit, view.Close = plain(label(f.Submit, maxViewTitle, "Send")), plain("Cancel")
	}
	return view, nil
}

func inputBlock(in card.Input) slack.Block {
	e := slack.NewPlainTextInputBlockElement(nil, InputAction)
	e.Multiline = in.Multiline
	e.InitialValue = Cut(Clean(in.Initial), maxInitial)
	var hint *slack.TextBlockObject
	if in.Hint != "" {
		hint = plain(label(in.Hint, maxHint, in.Name))
	}
	b := slack.NewInputBlock(in.Name, plain(label(in.Label, maxHint, in.Name)), hint, e)
	b.Optional = in.Optional
	return b
}
