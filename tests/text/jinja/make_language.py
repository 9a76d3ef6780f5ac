#!/usr/bin/env python3
# make_language.py - writes language.jsonl: small templates and what PyPI's jinja2, set up as
# transformers sets it up, makes of them; null where it raises an error.
#
#   pip install jinja2 && python3 make_language.py >language.jsonl
import json

import jinja2
import jinja2.ext
import jinja2.sandbox


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


env = jinja2.sandbox.ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols])
env.filters["tojson"] = tojson
env.globals["raise_exception"] = raise_exception

MESSAGES = [
    {"role": "system", "content": "You are brief."},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello!", "extra": {"n": 1, "list": [1, 2.5, None, True]}},
    {"role": "user", "content": "  größer 日本\n"},
]

TEMPLATES = [
    # white space
    "  {% if true %}\n  a\n  {%- if true %}  b  {% endif %}\n {# a comment #}\n c {# another -#}   d\n  {% endif +%}\n  {{ 'e' }}\n  {{- ' f ' -}}\n  g\n{%+ if true %} h{% endif %}\n{% raw %}{{ not run }} {% if %}{% endraw %}\nend\n",
    "a\n  {% if true %}\n  b\n  {% endif %}\n  c",
    "a {% if true %} b {% endif %} c",
    "{{ 'a' }}\n{{ 'b' }}\n\n{% set x = 1 %}\n\n{{ x }}\n",
    "  {{- 'x' }}  \n  {{ 'y' -}}  \n z",
    "\r\na\r\n{% if 1 %}\r\nb\r\n{% endif %}\r\n",
    "{% raw -%}  {{ a }}  {%- endraw %} b",
    "x{#- c -#} y {#+ d #}\n z",
    "\t{%+ if 1 %}\tz{% endif %}",
    "{%- if 1 -%}\n a \n{%- endif -%}\n b",
    "a\n{% if 1 %} {% if 1 %}\nb{% endif %} {% endif %}\n",
    # expressions
    "{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 6 / 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }}",
    "{{ 1 + 2 * 3 }} {{ (1 + 2) * 3 }} {{ 2 - 5 }} {{ 1.5 + 2 }} {{ 1e3 }} {{ 1_000 }} {{ 0.1 + 0.2 }} {{ 1e16 }} {{ 1.5e-5 }} {{ 100000.0 }} {{ 123456789.125 }}",
    "{{ 10 > 9 and not 3 <= 2 }} {{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ not 1 == 2 }} {{ 1 == 1.0 }} {{ true == 1 }} {{ 'a' < 'b' }}",
    "{{ 0 or 'x' }} {{ '' and 'x' }}| {{ none or [] }} {{ 1 and 2 }} {{ not '' }}",
    "{{ 'a' if false }}|{{ 'a' if true else 'b' }}|{{ 'a' if false else 'b' if false else 'c' }}",
    "{{ 'a' ~ 1 ~ none ~ true ~ 1.0 }} {{ 'a' 'b' \"c\" }} {{ 'x' * 3 }} {{ [1] * 2 }} {{ [1] + [2, 3] }} {{ (1, 2) + (3,) }}",
    "{{ -3 | abs }} {{ - 2 ** 2 }} {{ +1 }} {{ 2 * -3 }} {{ 'a' + 'b' | upper }} {{ ('a' + 'b') | upper }} {{ -1.5 | string | length }}",
    "{{ [1, 'a', none, true, [2], {'k': 'v'}, (1,), ()] }} {{ {'a': 1, 'b': \"it's\"} }} {{ 'a\"b' }} {{ ['a\"b', \"c'd\", 'e\\nf\\\\'] }}",
    "{{ 1 in [1, 2] }} {{ 3 not in [1, 2] }} {{ 'a' in 'cat' }} {{ 'x' not in 'cat' }} {{ 'k' in {'k': 1} }} {{ '' in 'a' }} {{ 1 in missing }}",
    "{{ 'abcdef'[1:4] }} {{ 'abcdef'[::-1] }} {{ 'abcdef'[-2:] }} {{ 'abcdef'[:-2] }} {{ 'abcdef'[4:2] }}| {{ 'abcdef'[::2] }} {{ 'abcdef'[5:1:-2] }} {{ 'abc'[9:] }}| {{ 'abc'[-9:2] }}",
    "{{ [1, 2, 3][-1] }} {{ [1, 2, 3][0] }} {{ [1, 2][5] }}| {{ [1, 2, 3][1:] }} {{ [1, 2, 3][::-1] }} {{ 'größe'[2:4] }} {{ 'größe' | length }} {{ '日本'[1] }}",
    "{{ messages[0].role }} {{ messages[0]['role'] }} {{ messages[-1].role }} {{ messages[0].nothing }}| {{ messages[9] }}| {{ messages.0.role }}",
    "{{ messages[2].extra.list[1] }} {{ messages[2].extra['n'] }} {{ messages[2].extra.get('n') }} {{ messages[2].extra.get('m') }} {{ messages[2].extra.get('m', 5) }}",
    "{{ missing }}| {{ missing is defined }} {{ missing | default('d') }} {{ missing == none }} {{ not missing }} {{ missing | length }}",
    "{{ missing.attribute }}", "{{ missing['a'] }}", "{{ 1 + 'a' }}", "{{ 'a' + 1 }}", "{{ 'a' + none }}", "{{ missing + 'a' }}", "{{ missing() }}", "{{ none.x }}|", "{{ none['x'] }}|",
    "{{ 1 < 'a' }}", "{{ 1 / 0 }}", "{{ 1 % 0 }}", "{{ 'a' | nofilter }}", "{{ 'a' is notest }}", "{{ 5 in 5 }}", "{{ none + 1 }}", "{% for x in none %}{% endfor %}", "{% for x in 5 %}{% endfor %}",
    # statements
    "{% set x = 1 %}{% set ns = namespace(x=1) %}{% for i in [1, 2, 3] %}{% set x = i %}{% set ns.x = ns.x + i %}{{ x }},{% endfor %}{{ x }} {{ ns.x }}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set (c, d) = [3, 4] %}{{ c }}{{ d }}{% set t = 1, 2 %}{{ t }}",
    "{% set x %}set {{ 'block' }}{% endset %}{{ x | length }}{{ x }}{% set y | upper %}abc{% endset %}{{ y }}",
    "{% if 0 %}a{% elif [] %}b{% elif {} %}c{% elif '' %}d{% else %}e{% endif %}",
    "{% for m in messages %}{{ loop.index }}/{{ loop.length }}:{{ loop.revindex0 }}{{ loop.revindex }}{{ ' first' if loop.first }}{{ ' last' if loop.last }}{% if not loop.first %} after {{ loop.previtem.role }}{% endif %}{% if loop.nextitem is defined %} before {{ loop.nextitem.role }}{% endif %}; {% endfor %}",
    "{% for x in [] %}never{% else %}empty{% endfor %}{% for x in [1] %}{{ x }}{% else %}no{% endfor %}{% for x in missing %}{% else %}none{% endfor %}",
    "{% for i in range(10) %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 5 %}{% break %}{% endif %}{{ i }}{% endfor %}",
    "{% for i in range(5) if i is odd %}{{ loop.index0 }}{{ i }}{{ loop.last }}{% endfor %}{% for i in range(3, 0, -1) %}{{ i }}{% endfor %}{{ range(2, 8, 3) | list }}",
    "{% for k, v in {'a': 1, 'b': [2]}.items() %}{{ k }}{{ v }}{% endfor %}{% for k in {'x': 1} %}{{ k }}{% endfor %}{% for a, b in [(1, 2), [3, 4]] %}{{ a }}{{ b }}{% endfor %}{% for c in 'aö' %}{{ c }}.{% endfor %}",
    "{% for i in [1, 2, 3, 4] %}{{ loop.cycle('a', 'b', 'c') }}{% endfor %}{% for i in [1, 1, 2] %}{{ loop.changed(i) }}{% endfor %}{% for i in [1, 2] %}{% for k in [1, 2] %}{{ loop.index }}{% endfor %}{{ loop.index }}{% endfor %}",
    "{% for i in (1, 2) %}{{ i }}{% endfor %}{% for i in 1, 2 %}{{ i }}{% endfor %}",
    "{% macro box(text, left='[', right=']') %}{{ left }}{{ text }}{{ right }}{% endmacro %}{{ box('a') }}{{ box('b', '(', right=')') }}{% macro twice(x) %}{{ box(x) }}{{ box(x) }}{% endmacro %}{{ twice('c') | upper }}{{ box() }}",
    "{% macro wrap(x) %}<{{ caller() }}{{ x }}>{% endmacro %}{% call wrap(1) %}in{% endcall %}{% macro each(l) %}{% for i in l %}{{ caller(i) }}{% endfor %}{% endmacro %}{% call(v) each([1, 2]) %}({{ v }}){% endcall %}",
    "{% filter upper %}filtered {{ 'x' }}{% endfilter %}{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a }}",
    "{% macro m() %}{{ x }}{% endmacro %}{% set x = 5 %}{{ m() }}{% set x = 6 %}{{ m() }}",
    "{% macro f(a, b=a) %}{{ b }}{% endmacro %}{{ f(3) }}", "{% macro f(a) %}{% endmacro %}{{ f(1, 2) }}", "{% macro f(a) %}{% endmacro %}{{ f(b=2) }}",
    "{{ raise_exception('no') }}", "{% if %}{% endif %}", "{% for %}", "{% if 1 %}", "{{ 1", "{% nothing %}", "{{ }}", "{% endif %}", "{{ 'a }}", "{# a", "{% set 1 = 2 %}", "{{ a.1x }}", "{{ (1 }}", "{{ [1, }}", "{{ {'a' 1} }}", "{{ a | }}", "{{ a is }}", "{{ 1 2 }}", "{{ a[ }}", "{{ $ }}", "{% raw %}a", "{% macro %}", "{% else %}",
    # strings
    "{{ 'a,b,,c'.split(',') }} {{ ' a  b '.split() }} {{ 'a,b,c'.split(',', 1) }} {{ 'a,b,c'.rsplit(',', 1) }} {{ ' a b c'.split(none, 1) }} {{ ''.split(',') }} {{ ''.split() }} {{ 'abc'.split('abc') }}",
    "{{ ' x '.strip() }}|{{ ' x '.lstrip() }}|{{ ' x '.rstrip() }}|{{ 'xxaxx'.strip('x') }}|{{ 'abcba'.strip('ab') }}|{{ '\\u3000a\\u00a0'.strip() }}|{{ '\\n\\na\\n'.lstrip('\\n') }}|",
    "{{ 'Title case'.title() }} {{ \"it's a b2b\".title() }} {{ 'hELLO wORLD'.capitalize() }} {{ 'aB'.upper() }} {{ 'aB'.lower() }} {{ 'hello world' | title }} {{ 'HELLO' | capitalize }}",
    "{{ 'cat'.startswith('ca') }} {{ 'cat'.endswith('x') }} {{ 'cat'.startswith(('x', 'c')) }} {{ 'a-b-c'.replace('-', '+') }} {{ 'a-b-c'.replace('-', '+', 1) }} {{ 'aaa' | replace('a', 'b', 2) }} {{ 'aaa'.count('a') }} {{ 'abab'.find('b') }} {{ 'abab'.rfind('b') }} {{ 'a'.find('x') }} {{ 'größe'.find('e') }}",
    "{{ 'ab12'.isalnum() }} {{ '12'.isdigit() }} {{ 'ab'.isalpha() }} {{ ' '.isspace() }} {{ 'AB'.isupper() }} {{ 'Ab'.islower() }} {{ ''.isdigit() }} {{ 'prefix-x'.removeprefix('prefix-') }} {{ 'x.py'.removesuffix('.py') }}",
    "{{ 'a\\nb\\r\\nc\\n'.splitlines() }} {{ ', '.join(['a', 'b']) }} {{ '-'.join('abc') }} {{ 'a'.index('a') }}", "{{ 'a'.index('x') }}",
    "{{ '%s is %d, %.2f, %r %%' % ('x', 3, 1.5, 'q') }} {{ '%s' % 'one' }} {{ '%s-%s' | format('a', 2) }} {{ '%05d' % 42 }} {{ '%x' % 255 }}",
    "{{ 'a\\tb\\'c\"d\\\\e\\u00e9\\x41\\qf' }}",
    # filters
    "{{ [1, 2, 3] | map('string') | join }} {{ messages | map(attribute='role') | join(', ') }} {{ messages | join('|', attribute='role') }} {{ ['a', 'b'] | map('upper') | list }} {{ messages | map(attribute='extra.n', default=0) | list }} {{ ['a b', 'c'] | map('replace', ' ', '_') | list }}",
    "{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | list | length }} {{ messages | rejectattr('role', 'equalto', 'user') | list | length }} {{ messages | selectattr('extra', 'defined') | list | length }} {{ messages | selectattr('extra') | list | length }} {{ [0, 1, 2, ''] | select | list }} {{ [0, 1, 2] | reject('odd') | list }} {{ [1, 2, 3] | select('greaterthan', 1) | list }} {{ messages | selectattr('role', 'in', ['user']) | list | length }}",
    "{{ x | default('none') }} {{ '' | default('empty', true) }} {{ none | default('d') }} {{ none | default('d', boolean=true) }} {{ x | d }}| {{ 0 | default(1) }}",
    "{{ {'b': 1, 'a': 2} | dictsort }} {{ {'b': 1, 'a': 2} | dictsort(by='value') }} {{ {'b': 1, 'a': 2} | dictsort(reverse=true) }} {{ {'a': 1} | items | list }} {{ {'b': 1, 'a': 2}.keys() | list }} {{ {'b': 1}.values() | list }} {{ {'b': 1, 'a': 2} | list }}",
    "{{ [3, 1, 2] | sort }} {{ ['b', 'A', 'c'] | sort }} {{ ['b', 'A'] | sort(case_sensitive=true) }} {{ [3, 1, 2] | sort(reverse=true) }} {{ [{'n': 2}, {'n': 1}] | sort(attribute='n') }} {{ [1, 1, 2, 'a', 'A'] | unique | list }} {{ [3, 1] | max }} {{ [3, 1] | min }} {{ [1, 2.5] | sum }} {{ [{'n': 2}, {'n': 1}] | sum(attribute='n') }} {{ ['a', 'b'] | reverse | list }} {{ 'abc' | reverse }}",
    "{{ 'l1\\nl2\\n\\nl4' | indent(2) }}|{{ 'l1\\nl2' | indent(2, true) }}|{{ 'l1\\n\\nl2' | indent(2, blank=true) }}|{{ 'a\\nb' | indent('> ') }}|{{ 'a\\nb' | indent(width=1, first=true) }}",
    "{{ {'a': [1, true, none, 'x\"y\\n\\u0001\\\\/', 1.5, 1e20], 'é': {}} | tojson }} {{ [] | tojson }} {{ {} | tojson(indent=2) }} {{ [1, [2, {'b': 1, 'a': [] }]] | tojson(indent=2) }} {{ {'b': 1, 'a': 2} | tojson(sort_keys=true) }} {{ [1, {'a': 2}] | tojson(separators=(',', ':')) }} {{ '<&>' | tojson }}",
    "{{ '7' | int + 1 }} {{ 3.7 | int }} {{ 'x' | int }} {{ 'x' | int(5) }} {{ '2.5' | float }} {{ 'x' | float }} {{ 2.567 | round(2) }} {{ 2.5 | round }} {{ 2.1 | round(method='ceil') }} {{ 2.9 | round(0, 'floor') }} {{ true | int }} {{ 5 | string + 'a' }}",
    "{{ 'abc' | first }}{{ 'abc' | last }}{{ [] | first }}|{{ [1, 2] | last }} {{ 'a b  c' | wordcount }} {{ '<a href=\"x\">&\\'' | escape }} {{ '<b>' | safe }} {{ ' x ' | trim }}|{{ 'xax' | trim('x') }} {{ messages | length }} {{ messages | count }} {{ {'a': 1} | attr('a') }}",
    # tests
    "{{ none is none }}{{ 1 is number }}{{ true is number }}{{ '1' is string }}{{ [] is iterable }}{{ {} is mapping }}{{ 1 is not none }}{{ true is boolean }}{{ 1 is boolean }}{{ 4 is even }}{{ 3 is odd }}{{ 'a' is in ['a'] }}{{ 2 is eq 2 }}{{ x is not defined and 1 }}{{ 1.0 is float }}{{ 1 is integer }}{{ true is integer }}{{ 'a' is sequence }}{{ {} is sequence }}{{ x is iterable }}{{ x is sequence }}{{ range is callable }}{{ 9 is divisibleby 3 }}{{ 9 is divisibleby(2) }}{{ 'A' is upper }}{{ 'a' is lower }}{{ true is true }}{{ 1 is true }}{{ false is false }}{{ 1 is sameas 1 }}{{ 2 is ge 2 }}{{ 2 is lt 1 }}{{ 'x' is ne 'y' }}{{ not x is defined }}",
    # objects
    "{% set d = dict(a=1, b=2) %}{{ d.a }}{{ d }}{% set n = namespace() %}{% set n.list = [] %}{% set n.list = n.list + [1] %}{{ n.list }}{{ n.none }}|{{ {'a': {'b': {'c': 1}}}.a.b.c }} {{ {1: 'x'}[1] }} {{ {'a': 1} == {'a': 1} }} {{ [1, 2] == [1, 2] }} {{ [1] == (1,) }}",
    "{{ messages[1:] | length }} {{ messages[::-1] | map(attribute='role') | join(' ') }} {{ messages | tojson | length }} {{ messages[2] }} {{ messages[3].content.strip() }} {{ (messages | last).role }} {{ messages == messages[:] }}",
]

for template in TEMPLATES:
    try:
        text = env.from_string(template).render(messages=MESSAGES, tools=None, documents=None)
    except (jinja2.exceptions.TemplateError, TypeError, ValueError, ZeroDivisionError, OverflowError):
        text = None
    print(json.dumps({"template": template, "text": text}, ensure_ascii=False))
