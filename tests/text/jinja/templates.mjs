// templates.mjs - chat templates in the manner of public ones, written anew, for make_goldens.mjs.
const H = '{%- for m in messages %}';
export const templates = {
  // ---- turns in markers
  chatml: "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
  chatml_default_system: `{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}{% endif %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`,
  llama3: "{% set all = messages %}{% for m in all %}{% set text = '<|start_header_id|>' + m['role'] + '<|end_header_id|>\\n\\n' + m['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set text = bos_token + text %}{% endif %}{{ text }}{% endfor %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}",
  bitnet: "{% for m in messages %}{{ m['role'] | capitalize + ': ' + m['content'] | trim + '<|eot_id|>' }}{% endfor %}{% if add_generation_prompt %}{{ 'Assistant: ' }}{% endif %}",
  zephyr: `{% for message in messages %}
{% if message['role'] == 'user' %}
{{ '<|user|>\\n' + message['content'] + eos_token }}
{% elif message['role'] == 'system' %}
{{ '<|system|>\\n' + message['content'] + eos_token }}
{% elif message['role'] == 'assistant' %}
{{ '<|assistant|>\\n' + message['content'] + eos_token }}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}`,
  falcon3: `{%- for m in messages -%}
    {{ "<|" ~ m.role ~ "|>\\n" ~ m.content ~ "\\n" }}
{%- endfor -%}
{% if add_generation_prompt %}{{ "<|assistant|>\\n" }}{% endif %}`,
  phi3: "{{ bos_token }}{% for m in messages %}{% if (m['role'] == 'system') %}{{'<|system|>' + '\\n' + m['content'] + '<|end|>' + '\\n'}}{% elif (m['role'] == 'user') %}{{'<|user|>' + '\\n' + m['content'] + '<|end|>' + '\\n' + '<|assistant|>' + '\\n'}}{% elif m['role'] == 'assistant' %}{{ m['content'] + '<|end|>' + '\\n' }}{% endif %}{% endfor %}",
  phi4: "{% for message in messages %}{% if (message['role'] == 'system') %}{{'<|im_start|>system<|im_sep|>' + message['content'] + '<|im_end|>'}}{% elif (message['role'] == 'user') %}{{'<|im_start|>user<|im_sep|>' + message['content'] + '<|im_end|>'}}{% elif (message['role'] == 'assistant') %}{{'<|im_start|>assistant<|im_sep|>' + message['content'] + '<|im_end|>'}}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant<|im_sep|>' }}{% endif %}",
  openchat: "{{ bos_token }}{% for message in messages %}{{ 'GPT4 Correct ' + message['role'].title() + ': ' + message['content'] + '<|end_of_turn|>' }}{% endfor %}{{ 'GPT4 Correct Assistant:' }}",
  vicuna: `{% if messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}{% set first = messages[0]['content'] ~ '\\n\\n' %}{% else %}{% set rest = messages %}{% set first = 'A chat between a user and an assistant.\\n\\n' %}{% endif %}{{ first }}{% for m in rest %}{{ m.role | upper }}: {{ m.content }}{{ '</s>\\n' if m.role == 'assistant' else '\\n' }}{% endfor %}ASSISTANT:`,
  alpaca: `{%- if messages and messages[0].role == 'system' -%}{{ messages[0].content }}

{% endif -%}
{%- for m in messages if m.role != 'system' -%}
### {{ 'Instruction' if m.role == 'user' else 'Response' }}:
{{ m.content | trim }}

{% endfor -%}
### Response:
`,
  // ---- with system messages folded into the first user turn
  mistral: `{%- if messages[0]['role'] == 'system' %}{%- set system = messages[0]['content'] %}{%- set rest = messages[1:] %}{%- else %}{%- set rest = messages %}{%- endif %}{{- bos_token }}{%- for m in rest %}{%- if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{- raise_exception('Roles must alternate') }}{%- endif %}{%- if m['role'] == 'user' %}{%- if loop.last and system is defined %}{{- '[INST] ' + system + '\\n\\n' + m['content'] + '[/INST]' }}{%- else %}{{- '[INST] ' + m['content'] + '[/INST]' }}{%- endif %}{%- else %}{{- ' ' + m['content'] | trim + eos_token }}{%- endif %}{%- endfor %}`,
  llama2: `{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}`,
  gemma: `{{ bos_token }}{%- if messages[0]['role'] == 'system' -%}{%- set prefix = messages[0]['content'] + '\\n\\n' -%}{%- set turns = messages[1:] -%}{%- else -%}{%- set prefix = "" -%}{%- set turns = messages -%}{%- endif -%}{%- for m in turns -%}{%- if (m['role'] == 'assistant') -%}{%- set role = "model" -%}{%- else -%}{%- set role = m['role'] -%}{%- endif -%}{{ '<start_of_turn>' + role + '\\n' + (prefix if loop.first else "") }}{%- if m['content'] is string -%}{{ m['content'] | trim }}{%- elif m['content'] is iterable -%}{%- for item in m['content'] -%}{%- if item['type'] == 'text' -%}{{ item['text'] | trim }}{%- endif -%}{%- endfor -%}{%- endif -%}{{ '<end_of_turn>\\n' }}{%- endfor -%}{%- if add_generation_prompt -%}{{'<start_of_turn>model\\n'}}{%- endif -%}`,
  // ---- reasoning
  deepseek_r1: `{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% set ns = namespace(is_first=false, system_prompt='') %}{%- for m in messages %}{%- if m['role'] == 'system' %}{% set ns.system_prompt = m['content'] %}{%- endif %}{%- endfor %}{{ bos_token }}{{ ns.system_prompt }}{%- for m in messages %}{%- if m['role'] == 'user' %}{{ '<|User|>' + m['content'] }}{%- endif %}{%- if m['role'] == 'assistant' and m['content'] is not none %}{% set content = m['content'] %}{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}{{ '<|Assistant|>' + content + '<|end|>' }}{%- endif %}{%- endfor %}{% if add_generation_prompt %}{{ '<|Assistant|><think>\\n' }}{% endif %}`,
  thinking_flag: `${H}{{- '<|im_start|>' ~ m.role ~ '\\n' ~ m.content.split('</think>\\n\\n')[-1] ~ '<|im_end|>\\n' }}{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- if enable_thinking is defined and not enable_thinking %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- else %}{{- '<think>\\n' }}{%- endif %}{%- endif %}`,
  smol: `{%- set mode = "think" if (enable_thinking is not defined or enable_thinking) else "no_think" -%}{{- "<|im_start|>system\\n## Metadata\\n\\nReasoning Mode: /" + mode + "\\n\\n" -}}{%- if messages[0].role == "system" -%}{{- messages[0].content.replace("/no_think", "").replace("/think", "").rstrip() -}}{%- endif -%}{{- "<|im_end|>\\n" -}}{%- for m in messages -%}{%- set content = m.content if m.content is string else "" -%}{%- if m.role == "user" -%}{{- "<|im_start|>user\\n" + content + "<|im_end|>\\n" -}}{%- elif m.role == "assistant" -%}{{- "<|im_start|>assistant\\n" + content.lstrip("\\n") + "<|im_end|>\\n" -}}{%- endif -%}{%- endfor -%}{{- "<|im_start|>assistant\\n" -}}`,
  // ---- tools
  llama31: `{{- bos_token }}
{%- if custom_tools is defined %}
    {%- set tools = custom_tools %}
{%- endif %}
{%- if not date_string is defined %}
    {%- set date_string = "26 Jul 2024" %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if tools is not none %}
    {{- "Environment: ipython\\n" }}
{%- endif %}
{{- "Cutting Knowledge Date: December 2023\\n" }}
{{- "Today Date: " + date_string + "\\n\\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- if tools is not none %}
    {{- "Given the following functions:\\n\\n" }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
{%- endif %}
{%- for message in messages %}
    {%- if not (message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("This model only supports single tool-calls at once!") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}
        {{- '{"name": "' + tool_call.name + '", ' }}
        {{- '"parameters": ' }}
        {{- tool_call.arguments | tojson }}
        {{- "}" }}
        {{- "<|eot_id|>" }}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\\n\\n" }}
        {%- if message.content is mapping or message.content is iterable and message.content is not string %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
        {{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
`,
  hermes_tools: `{%- macro type_name(t) %}{%- if t.type is string %}{{- t.type }}{%- elif t.anyOf is defined %}{%- for o in t.anyOf %}{{- o.type }}{%- if not loop.last %} | {% endif %}{%- endfor %}{%- else %}any{%- endif %}{%- endmacro %}
{%- if tools %}{{- "<|im_start|>system\\n<tools>\\n" }}{%- for tool in tools %}{%- set f = tool.function %}{{- f.name ~ "(" }}{%- for name, p in f.parameters.properties.items() %}{{- name ~ ": " ~ type_name(p) }}{%- if name in f.parameters.required | default([]) %}{{- "!" }}{%- endif %}{{- ", " if not loop.last }}{%- endfor %}{{- ")\\n" }}{%- endfor %}{{- "</tools><|im_end|>\\n" }}{%- endif %}
{%- for m in messages %}{{- "<|im_start|>" + m.role + "\\n" }}{%- if m.tool_calls is defined %}{%- for c in m.tool_calls %}{{- "<tool_call>" ~ (c.function | tojson) ~ "</tool_call>\\n" }}{%- endfor %}{%- else %}{{- m.content }}{%- endif %}{{- "<|im_end|>\\n" }}{%- endfor %}{{- "<|im_start|>assistant\\n" }}`,
  mistral_tools: `{%- set users = messages | selectattr("role", "equalto", "user") | list %}{{- bos_token }}{%- for m in messages %}{%- if m.role == "user" %}{%- if tools is not none and (m == users[-1]) %}{{- "[AVAILABLE_TOOLS] [" }}{%- for tool in tools %}{%- set tool = tool.function %}{{- '{"type": "function", "function": {' }}{%- for key, val in tool.items() if key != "return" %}{%- if val is string %}{{- '"' + key + '": "' + val + '"' }}{%- else %}{{- '"' + key + '": ' + val|tojson }}{%- endif %}{%- if not loop.last %}{{- ", " }}{%- endif %}{%- endfor %}{{- "}}" }}{%- if not loop.last %}{{- ", " }}{%- else %}{{- "]" }}{%- endif %}{%- endfor %}{{- "[/AVAILABLE_TOOLS]" }}{%- endif %}{{- "[INST] " + m.content + "[/INST]" }}{%- elif m.tool_calls is defined %}{{- "[TOOL_CALLS] [" }}{%- for c in m.tool_calls %}{%- set out = c.function|tojson %}{{- out[:-1] }}{{- ', "id": "' + (loop.index | string) + '"}' }}{{- "]" + eos_token if loop.last else ", " }}{%- endfor %}{%- elif m.role == "tool" %}{{- '[TOOL_RESULTS] {"content": ' + m.content|string + '}[/TOOL_RESULTS]' }}{%- elif m.role == "assistant" %}{{- " " + m.content|trim + eos_token }}{%- endif %}{%- endfor %}`,
  granite: `{%- if messages[0]['role'] == 'system' %}{%- set system_message = messages[0]['content'] %}{%- set loop_messages = messages[1:] %}{%- else %}{%- set system_message = "Knowledge Cutoff Date: April 2024." %}{%- if tools and documents %}{%- set system_message = system_message + " Both." %}{%- elif tools %}{%- set system_message = system_message + " You have tools." %}{%- endif %}{%- set loop_messages = messages %}{%- endif %}{{- '<|start_of_role|>system<|end_of_role|>' + system_message + '<|end_of_text|>\\n' }}{%- if tools %}{{- '<|start_of_role|>tools<|end_of_role|>' }}{{- tools | tojson(indent=2) }}{{- '<|end_of_text|>\\n' }}{%- endif %}{%- for m in loop_messages %}{{- '<|start_of_role|>' + m['role'] + '<|end_of_role|>' + (m['content'] or '') + '<|end_of_text|>\\n' }}{%- if loop.last and add_generation_prompt %}{{- '<|start_of_role|>assistant<|end_of_role|>' }}{%- endif %}{%- endfor %}`,
  command_r: `{{ bos_token }}{%- macro turn(name) -%}<|START_OF_TURN_TOKEN|><|{{ name | upper }}_TOKEN|>{%- endmacro -%}{%- for m in messages -%}{{ turn('chatbot' if m.role == 'assistant' else m.role) }}{{ m.content | trim }}{{ '<|END_OF_TURN_TOKEN|>' }}{%- endfor -%}{{ turn('chatbot') }}`,
  // ---- more of the first kind
  exaone: "{% for m in messages %}{% if loop.first and m['role'] != 'system' %}{{ '[|system|][|endofturn|]\\n' }}{% endif %}{{ '[|' + m['role'] + '|]' + m['content'] }}{% if m['role'] == 'user' %}{{ '\\n' }}{% else %}{{ '[|endofturn|]\\n' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '[|assistant|]' }}{% endif %}",
  solar: "{% for m in messages %}{% if m.role == 'system' %}{{ '### System:\\n' + m.content + '\\n\\n' }}{% elif m.role == 'user' %}{{ '### User:\\n' + m.content + '\\n\\n' }}{% else %}{{ '### Assistant:\\n' + m.content + eos_token + '\\n\\n' }}{% endif %}{% endfor %}{{ '### Assistant:\\n' if add_generation_prompt }}",
  internlm: "{{ bos_token }}{% for message in messages %}{{'<|im_start|>' ~ message['role'] ~ '\\n' ~ message['content'] ~ '<|im_end|>\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
  minicpm: "{% for message in messages %}{% if message['role'] == 'user' %}{{'<用户>' + message['content'].strip() + '<AI>'}}{% else %}{{ message['content'].strip() }}{% endif %}{% endfor %}",
  glm4: `[gMASK]<sop>
{%- for m in messages -%}
  {%- if m.role == 'user' -%}<|user|>
{{ m.content }}
  {%- elif m.role == 'assistant' -%}
    <|assistant|>
{{ m.content.split('</think>')[-1].strip() }}
  {%- elif m.role == 'tool' -%}
    {%- if loop.first or messages[loop.index0 - 1].role != 'tool' %}<|observation|>{% endif %}
<tool_response>
{{ m.content }}
</tool_response>
  {%- elif m.role == 'system' -%}<|system|>
{{ m.content }}
  {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}<|assistant|>{{ '\\n<think></think>' if (enable_thinking is defined and not enable_thinking) else '' }}
{%- endif -%}`,
  nemotron: `{{ '<extra_id_0>System' }}{% for m in messages %}{% if m['role'] == 'system' %}{{ '\\n' + m['content'].strip() }}{% endif %}{% endfor %}{{ '\\n' }}{% for m in messages %}{% if m['role'] == 'user' %}{{ '<extra_id_1>User\\n' + m['content'].strip() + '\\n' }}{% elif m['role'] == 'assistant' %}{{ '<extra_id_1>Assistant\\n' + m['content'].strip() + '\\n' }}{% endif %}{% endfor %}{{ '<extra_id_1>Assistant\\n' }}`,
  tulu: "{% for m in messages %}{% if m['role'] == 'assistant' %}{% if not loop.last %}{{ '<|assistant|>\\n' + m['content'] + eos_token + '\\n' }}{% else %}{{ '<|assistant|>\\n' + m['content'] + eos_token }}{% endif %}{% else %}{{ '<|' + m['role'] + '|>\\n' + m['content'] + '\\n' }}{% endif %}{% if loop.last and add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}{% endfor %}",
  olmo: "{{ eos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ '<|user|>\\n' + message['content'] }}{% elif message['role'] == 'assistant' %}{{ '<|assistant|>\\n' + message['content'] + eos_token }}{% endif %}{% if loop.last and add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}{% endfor %}",
  generation: `${H}{%- if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}{%- else %}[{{ m.content }}]{%- endif %}{%- endfor %}`,
};
