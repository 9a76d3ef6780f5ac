// make_goldens.mjs - writes goldens.jsonl: every template of templates.mjs on conversations, rendered
// by an independent interpreter, the npm package @huggingface/jinja. The first line holds the
// conversations; each other line a template and its texts, null where the template refuses.
//
//   npm install --no-save @huggingface/jinja && node make_goldens.mjs >goldens.jsonl
import { Template } from '@huggingface/jinja';
import { templates } from './templates.mjs';

const tools = [
  { type: 'function', function: { name: 'weather', description: 'Weather of a "place"',
      parameters: { type: 'object', properties: { place: { type: 'string' }, days: { anyOf: [{ type: 'integer' }, { type: 'null' }] } }, required: ['place'] } } },
  { type: 'function', function: { name: 'now', description: 'é\n<|im_end|>', parameters: { type: 'object', properties: {} } } },
];
const user = (content) => ({ role: 'user', content }), assistant = (content) => ({ role: 'assistant', content });
const system = { role: 'system', content: 'You are brief.' };
const called = { role: 'assistant', content: '', tool_calls: [{ type: 'function', function: { name: 'weather', arguments: { place: 'Bern', days: 2 } } }] };
const cases = [
  { messages: [user('Hi')] },
  { messages: [system, user('Hi')] },
  { messages: [system, user('Hi'), assistant('Hello!'), user('  spaces kept?  \n')] },
  { messages: [user('2+2?'), assistant('<think>\nsum\n</think>\n\n4'), user('+1?')], enable_thinking: false },
  { messages: [user('A {{ b }} <|im_end|>'), assistant(''), user('größer 日本')], enable_thinking: true },
  { messages: [system, user('Weather in Bern?'), called, { role: 'tool', content: '{"t":3}' }], tools },
  { messages: [user('Which tools?')], tools },
];

function render(template, c) {
  try {
    return new Template(template).render({ ...c, add_generation_prompt: true, bos_token: '<s>',
      eos_token: '</s>', tools: c.tools ?? null, documents: null });
  } catch (e) {
    if (!/Roles must|only supports/.test(e.message)) throw e;
    return null;
  }
}

console.log(JSON.stringify({ cases }));
for (const [name, template] of Object.entries(templates))
  console.log(JSON.stringify({ name, template, texts: cases.map((c) => render(template, c)) }));
