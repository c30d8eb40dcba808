// Plays the providers of models, until its input ends: `aimock`, with a journal of its own.
import { LLMock } from "@copilotkit/aimock";

const usage = (input, output) => ({
  prompt_tokens: input,
  completion_tokens: output,
  input_tokens: input,
  output_tokens: output,
});

const mock = new LLMock({ port: 0 });
mock.onMessage("good day", { content: "Good day to you, and to yours.", usage: usage(11, 8) });
mock.onMessage("lie to me", { content: "It was dear.", usage: usage(11, 999999) });
mock.onMessage("say nothing of it", { content: "Nothing was said.", usage: usage(0, 0) });
mock.onMessage("weather", {
  toolCalls: [{ id: "call-1", name: "weather", arguments: "{\"place\":\"Graz\"}" }],
  usage: usage(20, 9),
});
await mock.start();
console.log(JSON.stringify({ url: mock.url }));
process.stdin.resume();
process.stdin.on("end", () => mock.stop().then(() => process.exit(0)));
