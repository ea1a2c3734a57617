// Drives the server at OLLAMA_HOST with Go's package github.com/ollama/ollama/api, the one that the
// program `ollama` itself uses, and prints what the client made of it. The report is that of
// ../features/report.py; see there. The arguments are the same, too;
// with "probe" it prints nothing.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"github.com/ollama/ollama/api"
)

const (
	model    = "gemma3"
	tools    = "tools"
	thinking = "thinking"
	unknown  = "no-such-model"
	copied   = "tare-go-copy"
	made     = "tare-go-made"

	prompt   = "Why is the sky blue? Größe, <b>, 🦙"
	question = "What is the capital of France? Answer in JSON."
	weather  = "What is the weather in Paris?"
	// The dot of a PNG file.
	image = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	// Must be of the form that a model's answer has to fit.
	schema = `{"type":"object","properties":{"city":{"type":"string"},"large":{"type":"boolean"}},"required":["city","large"]}`

	seed = 5
	// Tokens of an answer, and of one that would last for half an hour.
	few        = 8
	withoutEnd = 2_000_000
	// Whatever hangs is to fail.
	longest = 10 * time.Minute
)

type object = map[string]any

// errAbandoned ends a stream from within.
var errAbandoned = errors.New("enough")

func main() {
	if len(os.Args) == 2 && os.Args[1] == "probe" {
		return
	}
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: go_client EMBEDDING-MODEL TOKENS-TO-THE-END")
		os.Exit(2)
	}
	toTheEnd, err := strconv.Atoi(os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	client, err := api.ClientFromEnvironment()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	driver := driver{ctx, client, os.Args[1], toTheEnd}
	outcomes := object{}
	for _, feature := range driver.features() {
		gave, err := feature.run()
		if err != nil {
			outcomes[feature.name] = object{"raised": []string{fmt.Sprintf("%T", err), err.Error()}}
		} else {
			outcomes[feature.name] = object{"gave": gave}
		}
	}
	report := object{"client": "github.com/ollama/ollama/api " + version(), "features": outcomes}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// version is the client's, as this program was built with it.
func version() string {
	build, _ := debug.ReadBuildInfo()
	for _, module := range build.Deps {
		if module.Path == "github.com/ollama/ollama" {
			return module.Version
		}
	}
	return "unknown"
}

type driver struct {
	ctx       context.Context
	client    *api.Client
	embedding string
	// toTheEnd are the tokens of an answer that must come to its end.
	toTheEnd int
}

type feature struct {
	name string
	run  func() (any, error)
}

// features are in the order in which they are tried: delete removes what copy and create made.
func (d driver) features() []feature {
	return []feature{
		{"heartbeat", func() (any, error) { return true, d.client.Heartbeat(d.ctx) }},
		{"version", func() (any, error) { return d.client.Version(d.ctx) }},
		{"list", func() (any, error) { return d.names() }},
		{"show", d.show},
		{"load and unload", d.loadAndUnload},
		{"generate", func() (any, error) { return d.generate(few, false) }},
		{"generate, streamed", func() (any, error) { return d.generate(few, true) }},
		{"chat", func() (any, error) { return d.say(chatting(model, false)) }},
		{"chat, streamed", func() (any, error) { return d.say(chatting(model, true)) }},
		{"abandoned stream", d.abandon},
		{"refusal", func() (any, error) { return d.refused(chatting(unknown, false)) }},
		{"refusal, streamed", func() (any, error) { return d.refused(chatting(unknown, true)) }},
		{"thinking", d.think},
		{"tools", func() (any, error) { return d.called(false) }},
		{"tools, streamed", func() (any, error) { return d.called(true) }},
		{"tool's result", d.toolResult},
		{"JSON", func() (any, error) { return d.formatted(`"json"`) }},
		{"schema", d.schema},
		{"logprobs", d.logprobs},
		{"image", d.image},
		{"embeddings", d.embed},
		{"embeddings, older route", d.embeddings},
		{"copy", d.copy},
		{"create", d.create},
		{"delete", d.delete},
		{"pull", d.pull},
	}
}

// answer holds the pieces of an answer, why it ended, and how many tokens it has.
type answer struct {
	Pieces []string `json:"pieces"`
	Reason string   `json:"reason"`
	Tokens int      `json:"tokens"`
}

func (a *answer) add(piece, reason string, metrics api.Metrics) {
	a.Pieces = append(a.Pieces, piece)
	a.Reason, a.Tokens = reason, metrics.EvalCount
}

func options(tokens int) map[string]any {
	return map[string]any{"seed": seed, "temperature": 0, "num_predict": tokens}
}

func chatting(model string, stream bool) *api.ChatRequest {
	return &api.ChatRequest{
		Model:    model,
		Messages: []api.Message{{Role: "user", Content: prompt}},
		Stream:   &stream,
		Options:  options(few),
	}
}

// parts are what a chat's answer came in.
func (d driver) parts(request *api.ChatRequest) ([]api.ChatResponse, error) {
	var parts []api.ChatResponse
	err := d.client.Chat(d.ctx, request, func(part api.ChatResponse) error {
		parts = append(parts, part)
		return nil
	})
	return parts, err
}

func (d driver) say(request *api.ChatRequest) (answer, error) {
	var said answer
	parts, err := d.parts(request)
	for _, part := range parts {
		said.add(part.Message.Content, part.DoneReason, part.Metrics)
	}
	return said, err
}

func (d driver) generate(tokens int, stream bool) (answer, error) {
	var said answer
	request := &api.GenerateRequest{Model: model, Prompt: prompt, Stream: &stream, Options: options(tokens)}
	err := d.client.Generate(d.ctx, request, func(part api.GenerateResponse) error {
		said.add(part.Response, part.DoneReason, part.Metrics)
		return nil
	})
	return said, err
}

func (d driver) names() ([]string, error) {
	list, err := d.client.List(d.ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, model := range list.Models {
		names = append(names, model.Model)
	}
	return names, nil
}

func (d driver) show() (any, error) {
	show, err := d.client.Show(d.ctx, &api.ShowRequest{Model: tools})
	if err != nil {
		return nil, err
	}
	return object{
		"family":       show.Details.Family,
		"capabilities": show.Capabilities,
		"context":      show.ModelInfo["gemma3.context_length"],
	}, nil
}

func (d driver) loadAndUnload() (any, error) {
	var reasons, running []string
	load := func(keep *api.Duration) error {
		request := &api.GenerateRequest{Model: model, KeepAlive: keep}
		return d.client.Generate(d.ctx, request, func(part api.GenerateResponse) error {
			reasons = append(reasons, part.DoneReason)
			return nil
		})
	}
	if err := load(nil); err != nil {
		return nil, err
	}
	loaded, err := d.client.ListRunning(d.ctx)
	if err != nil {
		return nil, err
	}
	for _, model := range loaded.Models {
		running = append(running, model.Model)
	}
	err = load(&api.Duration{})
	return object{"reasons": reasons, "running": running}, err
}

func (d driver) abandon() (any, error) {
	var first string
	request := &api.GenerateRequest{Model: model, Prompt: prompt, Options: options(withoutEnd)}
	err := d.client.Generate(d.ctx, request, func(part api.GenerateResponse) error {
		first = part.Response
		return errAbandoned
	})
	if !errors.Is(err, errAbandoned) {
		return nil, err
	}
	then, err := d.generate(few, false)
	return object{"first": first, "then": then}, err
}

// refusal is the status and words of the error with which a request must end.
func refusal(err error) (any, error) {
	var status api.StatusError
	switch {
	case err == nil:
		return nil, errors.New("it is not refused")
	case errors.As(err, &status):
		return []any{status.StatusCode, status.ErrorMessage}, nil
	default:
		return []any{nil, err.Error()}, nil
	}
}

func (d driver) refused(request *api.ChatRequest) (any, error) {
	_, err := d.parts(request)
	return refusal(err)
}

func (d driver) think() (any, error) {
	request := chatting(thinking, false)
	request.Think = &api.ThinkValue{Value: true}
	request.Options = options(d.toTheEnd)
	parts, err := d.parts(request)
	if err != nil {
		return nil, err
	}
	said := parts[0].Message
	return object{"thinking": said.Thinking, "text": said.Content}, nil
}

func (d driver) askingWeather(stream bool) *api.ChatRequest {
	properties := api.NewToolPropertiesMap()
	properties.Set("city", api.ToolProperty{Type: api.PropertyType{"string"}, Description: "the city's name"})
	request := chatting(tools, stream)
	request.Messages[0].Content = weather
	request.Options = options(d.toTheEnd)
	request.Tools = api.Tools{{Type: "function", Function: api.ToolFunction{
		Name:        "weather",
		Description: "The weather in a city",
		Parameters: api.ToolFunctionParameters{
			Type: "object", Properties: properties, Required: []string{"city"},
		},
	}}}
	return request
}

func (d driver) called(stream bool) (any, error) {
	parts, err := d.parts(d.askingWeather(stream))
	calls := []object{}
	for _, part := range parts {
		for _, call := range part.Message.ToolCalls {
			calls = append(calls, object{"name": call.Function.Name, "arguments": call.Function.Arguments.ToMap()})
		}
	}
	return calls, err
}

func (d driver) toolResult() (any, error) {
	arguments := api.NewToolCallFunctionArguments()
	arguments.Set("city", "Paris")
	call := api.ToolCall{Function: api.ToolCallFunction{Name: "weather", Arguments: arguments}}
	request := d.askingWeather(false)
	request.Options = options(few)
	request.Messages = append(request.Messages,
		api.Message{Role: "assistant", ToolCalls: []api.ToolCall{call}},
		api.Message{Role: "tool", ToolName: "weather", Content: "rain"})
	return d.say(request)
}

func (d driver) formatted(format string) (string, error) {
	request := chatting(model, false)
	request.Messages[0].Content = question
	request.Format = json.RawMessage(format)
	request.Options = options(d.toTheEnd)
	said, err := d.say(request)
	if err != nil {
		return "", err
	}
	return said.Pieces[0], nil
}

func (d driver) schema() (any, error) {
	text, err := d.formatted(schema)
	if err != nil {
		return nil, err
	}
	var capital struct {
		City  string `json:"city"`
		Large bool   `json:"large"`
	}
	err = json.Unmarshal([]byte(text), &capital)
	return capital, err
}

func (d driver) logprobs() (any, error) {
	request := chatting(model, false)
	request.Logprobs, request.TopLogprobs = true, 2
	parts, err := d.parts(request)
	stated := []object{}
	for _, part := range parts {
		for _, one := range part.Logprobs {
			stated = append(stated, object{"token": one.Token, "logprob": one.Logprob, "top": len(one.TopLogprobs)})
		}
	}
	return stated, err
}

func (d driver) image() (any, error) {
	dot, err := base64.StdEncoding.DecodeString(image)
	if err != nil {
		return nil, err
	}
	request := chatting(model, false)
	request.Messages[0].Images = []api.ImageData{dot}
	return d.refused(request)
}

// vector is a vector's dimensions and length.
func vector[Number float32 | float64](numbers []Number) object {
	squares := 0.0
	for _, number := range numbers {
		squares += float64(number) * float64(number)
	}
	return object{"dimensions": len(numbers), "length": math.Sqrt(squares)}
}

func (d driver) embed() (any, error) {
	made, err := d.client.Embed(d.ctx, &api.EmbedRequest{Model: d.embedding, Input: []string{"a llama", "an alpaca"}})
	if err != nil {
		return nil, err
	}
	var vectors []object
	for _, numbers := range made.Embeddings {
		vectors = append(vectors, vector(numbers))
	}
	return vectors, nil
}

func (d driver) embeddings() (any, error) {
	made, err := d.client.Embeddings(d.ctx, &api.EmbeddingRequest{Model: d.embedding, Prompt: "a llama"})
	if err != nil {
		return nil, err
	}
	return []object{vector(made.Embedding)}, nil
}

// afterwards is what a change of the models led to: its last words, and whether any of the names is there.
func (d driver) afterwards(status string, wanted ...string) (any, error) {
	names, err := d.names()
	there := slices.ContainsFunc(wanted, func(name string) bool { return slices.Contains(names, name+":latest") })
	return object{"status": status, "there": there}, err
}

func (d driver) copy() (any, error) {
	if err := d.client.Copy(d.ctx, &api.CopyRequest{Source: model, Destination: copied}); err != nil {
		return nil, err
	}
	return d.afterwards("success", copied)
}

func (d driver) create() (any, error) {
	var status string
	request := &api.CreateRequest{Model: made, From: model, System: "Be brief."}
	err := d.client.Create(d.ctx, request, func(progress api.ProgressResponse) error {
		status = progress.Status
		return nil
	})
	if err != nil {
		return nil, err
	}
	return d.afterwards(status, made)
}

func (d driver) delete() (any, error) {
	for _, name := range []string{copied, made} {
		if err := d.client.Delete(d.ctx, &api.DeleteRequest{Model: name}); err != nil {
			return nil, err
		}
	}
	return d.afterwards("success", copied, made)
}

func (d driver) pull() (any, error) {
	ignore := func(api.ProgressResponse) error { return nil }
	return refusal(d.client.Pull(d.ctx, &api.PullRequest{Model: unknown}, ignore))
}
