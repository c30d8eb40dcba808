// An agent that asks models with the vendors' own clients, as they come from the registry.
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

const openai = new OpenAI({ baseURL: "http://model.envelope/v1", apiKey: "any" });
const anthropic = new Anthropic({ baseURL: "http://model.envelope", apiKey: "any" });

const question = (model, words) => ({
  model,
  max_tokens: 50,
  messages: [{ role: "user", content: words }],
});

const place = { type: "object", properties: { place: { type: "string" } } };

const acts = {
  async "openai"(model, words) {
    const { choices, usage } = await openai.chat.completions.create(question(model, words));
    return [choices[0].finish_reason, choices[0].message.content, usage.completion_tokens];
  },
  async "openai-stream"(model, words) {
    const stream_options = { include_usage: true };
    const asked = { ...question(model, words), stream: true, stream_options };
    const [pieces, paid] = [[], []];
    for await (const chunk of await openai.chat.completions.create(asked)) {
      pieces.push(...chunk.choices.map((it) => it.delta.content ?? it.finish_reason));
      if (chunk.usage) paid.push(chunk.usage.completion_tokens);
    }
    return [pieces, paid];
  },
  async "openai-tool"(model, words) {
    const tools = [{ type: "function", function: { name: "weather", parameters: place } }];
    const asked = question(model, words);
    const first = (await openai.chat.completions.create({ ...asked, tools })).choices[0].message;
    const called = first.tool_calls[0];
    const answer = { role: "tool", tool_call_id: called.id, content: "clear" };
    const messages = [...asked.messages, first, answer];
    const second = await openai.chat.completions.create({ ...asked, tools, messages });
    return [called.function, second.choices[0].message.tool_calls?.length ?? 0];
  },
  async "responses"(model, words) {
    const asked = { model, input: words, max_output_tokens: 50 };
    const answer = await openai.responses.create(asked);
    return [answer.status, answer.output_text, answer.usage.output_tokens];
  },
  async "responses-stream"(model, words) {
    const pieces = [];
    const asked = { model, input: words, max_output_tokens: 50 };
    const stream = openai.responses.stream(asked);
    stream.on("response.output_text.delta", (event) => pieces.push(event.delta));
    const whole = await stream.finalResponse();
    return [pieces, whole.status, whole.output_text, whole.usage.output_tokens];
  },
  async "responses-tool"(model, words) {
    const tools = [{ type: "function", name: "weather", parameters: place, strict: false }];
    const input = [{ role: "user", content: words }];
    const asked = { model, max_output_tokens: 50, tools };
    const first = await openai.responses.create({ ...asked, input });
    const called = first.output.find((item) => item.type === "function_call");
    const given = { type: "function_call_output", call_id: called.call_id, output: "clear" };
    const second = await openai.responses.create({
      ...asked,
      input: [...input, ...first.output, given],
    });
    return [called.name, called.arguments, second.status];
  },
  async "responses-shape"(model, words) {
    const format = { type: "json_schema", name: "n", schema: { type: "object" }, strict: true };
    const asked = { model, input: words, max_output_tokens: 50, text: { format } };
    return (await openai.responses.parse(asked)).output_parsed;
  },
  async "responses-stored"(model, words) {
    return openai.responses.create({ model, input: words, store: true });
  },
  async "openai-vectors"(model, words) {
    const { data } = await openai.embeddings.create({ model, input: words.split(" ") });
    return data.map((it) => it.embedding.length);
  },
  async "openai-models"() {
    const names = [];
    for await (const model of openai.models.list()) names.push(model.id);
    return names;
  },
  async "openai-extra"(model, words) {
    return openai.chat.completions.create({ ...question(model, words), logprobs: true });
  },
  async "anthropic"(model, words) {
    const answer = await anthropic.messages.create(question(model, words));
    return [answer.stop_reason, answer.content[0].text, answer.usage.output_tokens];
  },
  async "anthropic-stream"(model, words) {
    const pieces = [];
    const stream = anthropic.messages.stream(question(model, words));
    stream.on("text", (text) => pieces.push(text));
    const whole = await stream.finalMessage();
    return [pieces, whole.stop_reason, whole.usage.output_tokens];
  },
  async "anthropic-tool"(model, words) {
    const tools = [{ name: "weather", input_schema: place }];
    const answer = await anthropic.messages.create({ ...question(model, words), tools });
    return answer.content.map((block) => block.input ?? block.text);
  },
  async "anthropic-models"() {
    const names = [];
    for await (const model of anthropic.models.list()) names.push(model.id);
    return names;
  },
  async "both"(model, words) {
    const [one, two] = await Promise.all([acts.openai(model, words), acts.anthropic(model, words)]);
    return [one[0], two[0]];
  },
};

async function tried([name, model, words]) {
  try {
    return await acts[name](model, words);
  } catch (error) {
    return { status: error.status ?? null, message: error.message };
  }
}

export const skills = {
  describe() {
    const skill = { name: "ask", description: "Asks models", input: {}, output: {} };
    const description = "Vendors' own clients, unchanged";
    return JSON.stringify({ name: "sdks", version: "0.1.0", description, skills: [skill] });
  },
  async invoke(_, args) {
    const results = [];
    for (const act of JSON.parse(args)) results.push(await tried(act));
    return JSON.stringify(results);
  },
};
