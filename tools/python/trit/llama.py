"""Llama: the calls of llama-cpp-python that model pages show, by the same names, with the same
shapes of results."""

import fnmatch
import heapq
import os
import random
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence, Union

from . import core
from ._ffi import lib

# What a call uses if neither it nor the file says anything. Keys of the file: general.sampling.*
DEFAULTS = {"temperature": 0.8, "top_p": 0.95, "min_p": 0.05, "top_k": 40, "repeat_penalty": 1.0}
CHAT_DEFAULTS = dict(DEFAULTS, temperature=0.2)
# Keys of a file, and the range of their values; others are ignored, as by the library.
FILE_KEYS = {"temperature": ("temp", 0, 1000), "top_p": ("top_p", 0, 1), "min_p": ("min_p", 0, 1),
             "top_k": ("top_k", 0, 1 << 24), "repeat_penalty": ("penalty_repeat", 0.001, 1000),
             "repeat_last_n": ("penalty_last_n", 1, 1 << 24)}
RANDOM_SEEDS = (None, -1, 0xFFFFFFFF)

Prompt = Union[str, bytes, Sequence[int]]
Stop = Union[None, str, Sequence[str]]


def _refuse(**arguments) -> None:
    """Arguments that would change the answer must not be ignored."""
    for name, value in arguments.items():
        if value:
            raise NotImplementedError(f"trit does not support {name} yet")


def _snapshots(cache_dir: Optional[str], repo_id: str) -> List[Path]:
    """Folders of the revisions of a repository in the cache of Hugging Face, "main" first."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = Path(os.environ.get("HF_HOME") or home / "huggingface")
    cache = Path(cache_dir or os.environ.get("HF_HUB_CACHE") or home / "hub")
    repository = cache / ("models--" + repo_id.replace("/", "--"))
    main = repository / "refs" / "main"
    newest = main.read_text().strip() if main.is_file() else ""
    found = sorted((repository / "snapshots").glob("*"),
                   key=lambda p: (p.name == newest, p.stat().st_mtime), reverse=True)
    return found or [repository]


def _matching(place: Path, pattern: str, deep: bool) -> List[str]:
    """Paths of the files in a folder that match by path or name, relative to it."""
    files = (p for p in (place.rglob("*") if deep else place.glob("*")) if p.is_file())
    return sorted(str(p.relative_to(place)) for p in files
                  if fnmatch.fnmatch(p.name, pattern) or
                  fnmatch.fnmatch(str(p.relative_to(place)), pattern))


def _finish_reason(finish: str) -> str:
    return {"eos": "stop", "stop": "stop", "interrupt": "cancelled"}.get(finish, "length")


class _Lock:
    """One call at a time. A thread that holds it with an unfinished stream gets an error, instead
    of waiting for itself."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner: Optional[int] = None

    def __enter__(self):
        if self._owner == threading.get_ident():
            raise RuntimeError("a stream of this object is unfinished; read it to its end or "
                               "close() it first")
        self._lock.acquire()
        self._owner = threading.get_ident()
        return self

    def __exit__(self, *_):
        self._owner = None
        self._lock.release()


class LlamaTokenizer:
    def __init__(self, llama: "Llama") -> None:
        self._llama = llama

    def encode(self, text: str, add_bos: bool = True, special: bool = True) -> List[int]:
        return self._llama.tokenize(text.encode(), add_bos, special)

    def decode(self, tokens: Sequence[int]) -> str:
        return self._llama.detokenize(tokens).decode("utf-8", "replace")


class Llama:
    """A model with one conversation or text. Calls from several threads take turns.

    n_ctx: 0: the smaller of the model's and 4096. n_threads: None: the physical cores. seed: -1:
    random. Other arguments of llama-cpp-python are accepted and do nothing: n_gpu_layers, verbose,
    chat_format, flash_attn, use_mmap, logits_all and the like."""

    def __init__(self, model_path: str, *, n_ctx: int = 0, n_batch: int = 512,
                 n_threads: Optional[int] = None, seed: int = -1, embedding: bool = False,
                 type_k: Optional[int] = None, type_v: Optional[int] = None,
                 use_mmap: bool = True, use_mlock: bool = False,
                 last_n_tokens_size: int = 64, lora_path: Optional[str] = None,
                 kv_overrides: Any = None, rope_freq_base: float = 0, rope_freq_scale: float = 0,
                 **_ignored: Any) -> None:
        _refuse(embedding=embedding, lora_path=lora_path, kv_overrides=kv_overrides,
                rope_freq_base=rope_freq_base, rope_freq_scale=rope_freq_scale)
        kv = {None: "f16", 0: "f32", 1: "f16", 8: "i8"}
        if type_v not in (None, type_k):
            raise ValueError(f"type_v is {type_v}; it must be type_k, which is {type_k}")
        if type_k not in kv:
            raise ValueError(f"type_k is {type_k}; it must be 0 (f32), 1 (f16) or 8 (q8_0)")
        if not Path(model_path).exists():
            raise ValueError(f"Model path does not exist: {model_path}")
        self.model_path = str(model_path)
        self._file = core.File(self.model_path, no_mmap=not use_mmap, lock=use_mlock)
        self._tokenizer = core.Tokenizer(self._file)
        self._model = core.Model(self._file)
        self._session = core.Session(self._model, n_ctx=n_ctx, n_batch=n_batch or 0,
                                     n_threads=n_threads or 0, kv=kv[type_k])
        self._chat = core.Chat(self._file, self._tokenizer)
        self.metadata: Dict[str, str] = {
            k: str(v).lower() if isinstance(v, bool) else str(v)
            for k, v in self._file.metadata.items()}
        self._last_n = last_n_tokens_size
        self._lock = _Lock()
        self.set_seed(seed)

    @classmethod
    def from_pretrained(cls, repo_id: str, filename: str, local_dir: Optional[str] = None,
                        cache_dir: Optional[str] = None, **arguments: Any) -> "Llama":
        """Open the file of a Hugging Face repository that matches a pattern and is on this
        machine: in local_dir, in the cache of Hugging Face, or in ./models/OWNER/NAME. A file name
        without wildcards may also be in ./models or here."""
        places = [Path(local_dir)] if local_dir else []
        places += [*_snapshots(cache_dir, repo_id), Path("models") / repo_id]
        n_own = len(places)  # only files of this repository
        if not set("*?[") & set(filename):
            places += [Path("models"), Path(".")]
        for i, place in enumerate(places):
            files = _matching(place, filename, deep=i < n_own)
            if len(files) == 1:
                return cls(model_path=str(place / files[0]), **arguments)
            if files:
                raise ValueError(f"{filename} matches several files in {place}: " +
                                 ", ".join(files))
        raise ValueError(f"no file matches {filename}; looked in " +
                         ", ".join(map(str, places)) + ". trit does not download: use "
                         f"`huggingface-cli download {repo_id} --include '{filename}'`")

    # ---- Generation -------------------------------------------------------------------------

    def _sampler(self, defaults: Dict[str, float], given: Dict[str, Any],
                 seed: Optional[int]) -> core.Sampler:
        values = {}
        for name, default in dict(defaults, repeat_last_n=self._last_n).items():
            value = given.pop(name, None)
            values[name] = self._of_file(name, default) if value is None else value
        values["temp"] = max(values.pop("temperature"), 0.0)
        values["top_k"] = max(int(values["top_k"]), 0)
        values["top_p"] = max(values["top_p"], 1e-6)  # 0 keeps one token; for the library it is off
        values["repeat_last_n"] = int(values["repeat_last_n"])
        if seed in RANDOM_SEEDS:
            seed = (self._random if seed is None else random.Random()).getrandbits(63)
        given = {k: v for k, v in given.items() if v is not None}
        return core.Sampler(self.n_vocab(), seed=seed & (1 << 64) - 1, **values, **given)

    def _of_file(self, name: str, default: float) -> float:
        key, low, high = FILE_KEYS[name]
        value = self._file.metadata.get("general.sampling." + key)
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
        return value if good and low <= value <= high else default

    def _check_length(self, tokens: List[int]) -> None:
        if len(tokens) > self.n_ctx():
            raise ValueError(f"Requested tokens ({len(tokens)}) exceed context window of "
                             f"{self.n_ctx()}; open the model with a larger n_ctx")

    def _generate(self, tokens: List[int], sampler: core.Sampler, max_tokens: Optional[int],
                  stop: List[str], n_logprobs: Optional[int],
                  state: Dict[str, Any]) -> Iterator[str]:
        """Pieces of text. state receives logprobs, as they come, and finish and usage."""
        state["logprobs"] = []
        self._check_length(tokens)

        def on_token(token, piece, logits):
            state["logprobs"].append(self._logprobs(token, piece, logits, n_logprobs))

        self._session.allow()
        with core.Generator(self._session, self._tokenizer, tokens,
                            max_tokens if max_tokens and max_tokens > 0 else -1, stop,
                            sampler=sampler,
                            on_token=None if n_logprobs is None else on_token) as generator:
            yield from generator
            state["finish"] = _finish_reason(generator.finish)
            n, n_prompt = generator.result.n_new, len(tokens)
            state["usage"] = {"prompt_tokens": n_prompt, "completion_tokens": n,
                              "total_tokens": n_prompt + n}

    def _logprobs(self, token: int, piece: bytes, logits, n: int) -> Dict[str, Any]:
        n_vocab = self.n_vocab()
        own = lib.trit_logprob(logits, n_vocab, token)
        values = logits[:n_vocab] if n else []
        shift = own - logits[token]
        top = heapq.nlargest(n, range(len(values)), key=values.__getitem__)
        return {"token": piece, "logprob": own,
                "top": [(self._tokenizer.piece(t, True), values[t] + shift) for t in top]}

    def _prompt_logprobs(self, tokens: List[int], n: int) -> List[Dict[str, Any]]:
        """Those of the prompt's tokens but a BOS. Nothing is known of the first one."""
        self._check_length(tokens)
        pieces = [self._tokenizer.piece(token) for token in tokens]
        entries = [{"token": pieces[0], "logprob": None, "top": None}]

        def on_logits(position, logits):
            if position + 1 < len(tokens):
                entries.append(self._logprobs(tokens[position + 1], pieces[position + 1], logits,
                                              n))

        self._session.allow()
        self._session.rewind(0)
        self._session.eval(tokens, on_logits)
        if tokens[0] == self.token_bos() and len(entries) > 1:
            entries[1] = dict(entries[1], logprob=None, top=None)
            return entries[1:]
        return entries

    def cancel(self) -> None:
        """End the call that runs in another thread; its finish_reason is "cancelled"."""
        self._session.cancel()

    # ---- Completion -------------------------------------------------------------------------

    def create_completion(
            self, prompt: Prompt, suffix: Optional[str] = None, max_tokens: Optional[int] = 16,
            temperature: Optional[float] = None, top_p: Optional[float] = None,
            min_p: Optional[float] = None, typical_p: float = 1.0,
            logprobs: Optional[int] = None, echo: bool = False, stop: Stop = None,
            frequency_penalty: float = 0.0, presence_penalty: float = 0.0,
            repeat_penalty: Optional[float] = None, top_k: Optional[int] = None,
            stream: bool = False, seed: Optional[int] = None, model: Optional[str] = None,
            stopping_criteria: Any = None, logits_processor: Any = None, grammar: Any = None,
            logit_bias: Optional[Dict[int, float]] = None, tfs_z: float = 1.0,
            mirostat_mode: int = 0, mirostat_tau: float = 5.0, mirostat_eta: float = 0.1):
        _refuse(suffix=suffix, stopping_criteria=stopping_criteria, grammar=grammar,
                logits_processor=logits_processor, typical_p=typical_p != 1.0, tfs_z=tfs_z != 1.0,
                mirostat_mode=mirostat_mode)
        tokens = self._prompt_tokens(prompt)
        sampler = self._sampler(DEFAULTS, dict(
            temperature=temperature, top_p=top_p, min_p=min_p, top_k=top_k,
            repeat_penalty=repeat_penalty, frequency_penalty=frequency_penalty,
            presence_penalty=presence_penalty, logit_bias=logit_bias), seed)
        head = {"id": f"cmpl-{uuid.uuid4()}", "object": "text_completion",
                "created": int(time.time()), "model": model or self.model_path}
        stops = [stop] if isinstance(stop, str) else list(stop or [])
        chunks = self._completion_chunks(head, self._text_of(prompt), echo, tokens,
                                         sampler, max_tokens, stops, logprobs)
        if stream:
            return self._public(chunks)
        return self._joined(chunks)

    __call__ = create_completion

    def _completion_chunks(self, head, prompt, echo, tokens, sampler, max_tokens, stop,
                           logprobs):
        state: Dict[str, Any] = {}
        offset, n_given = len(prompt), 0

        def chunk(text, finish=None, own=None):
            return dict(head, choices=[{"text": text, "index": 0, "logprobs": own,
                                        "finish_reason": finish}])

        with self._lock:
            if echo:
                yield chunk(prompt, None, None if logprobs is None else self._legacy_logprobs(
                    self._prompt_logprobs(tokens, logprobs), 0))
            for text in self._generate(tokens, sampler, max_tokens, stop, logprobs, state):
                entries, n_given = state["logprobs"][n_given:], len(state["logprobs"])
                if text or entries:
                    yield chunk(text, None, self._legacy_logprobs(entries, offset)
                                if logprobs is not None else None)
                offset += sum(len(e["token"].decode("utf-8", "replace")) for e in entries)
            yield dict(chunk("", state["finish"]), usage=state["usage"])

    @staticmethod
    def _legacy_logprobs(entries, offset) -> Dict[str, list]:
        tokens = [e["token"].decode("utf-8", "replace") for e in entries]
        offsets = [offset + sum(map(len, tokens[:i])) for i in range(len(tokens))]
        return {"tokens": tokens, "text_offset": offsets,
                "token_logprobs": [e["logprob"] for e in entries],
                "top_logprobs": [e["top"] and {t.decode("utf-8", "replace"): p for t, p in e["top"]}
                                 for e in entries]}

    @staticmethod
    def _public(chunks):
        """A stream has no usage."""
        try:
            for chunk in chunks:
                chunk.pop("usage", None)
                yield chunk
        finally:
            chunks.close()

    @staticmethod
    def _joined(chunks) -> Dict[str, Any]:
        whole: Dict[str, Any] = {}
        for chunk in chunks:
            if not whole:
                whole = chunk
                continue
            mine, more = whole["choices"][0], chunk["choices"][0]
            mine["text"] += more["text"]
            mine["finish_reason"] = more["finish_reason"]
            if more["logprobs"] and not mine["logprobs"]:
                mine["logprobs"] = more["logprobs"]
            elif more["logprobs"]:
                for key, values in more["logprobs"].items():
                    mine["logprobs"][key] += values
            if "usage" in chunk:
                whole["usage"] = chunk["usage"]
        return whole

    # ---- Chat -------------------------------------------------------------------------------

    def create_chat_completion(
            self, messages: Sequence[Dict[str, Any]], functions: Any = None,
            function_call: Any = None, tools: Any = None, tool_choice: Any = None,
            temperature: Optional[float] = None, top_p: Optional[float] = None,
            top_k: Optional[int] = None, min_p: Optional[float] = None, typical_p: float = 1.0,
            stream: bool = False, stop: Stop = None, seed: Optional[int] = None,
            response_format: Optional[Dict[str, Any]] = None, max_tokens: Optional[int] = None,
            presence_penalty: float = 0.0, frequency_penalty: float = 0.0,
            repeat_penalty: Optional[float] = None, model: Optional[str] = None,
            logits_processor: Any = None, grammar: Any = None,
            logit_bias: Optional[Dict[int, float]] = None, logprobs: Optional[bool] = None,
            top_logprobs: Optional[int] = None, tfs_z: float = 1.0, mirostat_mode: int = 0,
            mirostat_tau: float = 5.0, mirostat_eta: float = 0.1):
        _refuse(functions=functions, function_call=function_call, tools=tools, grammar=grammar,
                tool_choice=tool_choice not in (None, "none", "auto"),
                logits_processor=logits_processor,
                response_format=(response_format or {}).get("type", "text") != "text",
                typical_p=typical_p != 1.0, tfs_z=tfs_z != 1.0, mirostat_mode=mirostat_mode)
        tokens = self._chat.encode([(m["role"], self._content(m)) for m in messages])
        sampler = self._sampler(CHAT_DEFAULTS, dict(
            temperature=temperature, top_p=top_p, min_p=min_p, top_k=top_k,
            repeat_penalty=repeat_penalty, frequency_penalty=frequency_penalty,
            presence_penalty=presence_penalty, logit_bias=logit_bias), seed)
        stops = ([stop] if isinstance(stop, str) else list(stop or [])) + self._chat.stop
        n_logprobs = (top_logprobs or 0) if logprobs else None
        head = {"id": f"chatcmpl-{uuid.uuid4()}", "created": int(time.time()),
                "model": model or self.model_path}
        state: Dict[str, Any] = {}
        pieces = self._locked(self._generate(tokens, sampler, max_tokens, stops, n_logprobs,
                                             state))
        if stream:
            return self._chat_chunks(head, pieces, state, logprobs)
        text = "".join(pieces)
        return dict(head, object="chat.completion", usage=state["usage"], choices=[
            {"index": 0, "message": {"role": "assistant", "content": text},
             "logprobs": self._chat_logprobs(state["logprobs"]) if logprobs else None,
             "finish_reason": state["finish"]}])

    def _locked(self, pieces):
        with self._lock:
            yield from pieces

    def _chat_chunks(self, head, pieces, state, logprobs):
        def chunk(delta, finish=None, own=None):
            return dict(head, object="chat.completion.chunk", choices=[
                {"index": 0, "delta": delta, "logprobs": own, "finish_reason": finish}])

        n_given = 0
        yield chunk({"role": "assistant"})
        for text in pieces:
            entries, n_given = state["logprobs"][n_given:], len(state["logprobs"])
            if text or entries:
                yield chunk({"content": text}, None,
                            self._chat_logprobs(entries) if logprobs else None)
        yield chunk({}, state["finish"])

    @staticmethod
    def _chat_logprobs(entries) -> Dict[str, list]:
        def entry(token: bytes, logprob: float) -> Dict[str, Any]:
            return {"token": token.decode("utf-8", "replace"), "logprob": logprob,
                    "bytes": list(token)}

        return {"content": [dict(entry(e["token"], e["logprob"]),
                                 top_logprobs=[entry(t, p) for t, p in e["top"]])
                            for e in entries]}

    @staticmethod
    def _content(message: Dict[str, Any]) -> str:
        content = message.get("content") or ""
        if isinstance(content, str):
            return content
        for part in content:
            if part.get("type") != "text":
                raise NotImplementedError(f"trit does not support content of type "
                                          f"'{part.get('type')}'")
        return "".join(part["text"] for part in content)

    # ---- Tokens -----------------------------------------------------------------------------

    def tokenize(self, text: bytes, add_bos: bool = True, special: bool = False) -> List[int]:
        return self._tokenizer.encode(text, add_bos, special)

    def detokenize(self, tokens: Sequence[int], prev_tokens: Any = None,
                   special: bool = False) -> bytes:
        return self._tokenizer.decode(tokens, special)

    def _prompt_tokens(self, prompt: Prompt) -> List[int]:
        tokens = self._tokenizer.encode(prompt, special=True) if isinstance(
            prompt, (str, bytes)) else list(prompt)
        if not tokens and self.token_bos() >= 0:
            tokens = [self.token_bos()]
        return tokens

    def _text_of(self, prompt: Prompt) -> str:
        if isinstance(prompt, str):
            return prompt
        data = prompt if isinstance(prompt, bytes) else self._tokenizer.decode(prompt)
        return data.decode("utf-8", "replace")

    # ---- Step by step -----------------------------------------------------------------------

    def eval(self, tokens: Sequence[int]) -> None:
        with self._lock:
            self._session.allow()
            self._session.eval(tokens)

    def sample(self, temp: Optional[float] = None, top_p: Optional[float] = None,
               min_p: Optional[float] = None, top_k: Optional[int] = None,
               repeat_penalty: Optional[float] = None, frequency_penalty: float = 0.0,
               presence_penalty: float = 0.0, **_ignored: Any) -> int:
        """Choose a token from the logits of the last evaluation."""
        with self._lock:
            return self._sampler(DEFAULTS, dict(
                temperature=temp, top_p=top_p, min_p=min_p, top_k=top_k,
                repeat_penalty=repeat_penalty, frequency_penalty=frequency_penalty,
                presence_penalty=presence_penalty), None).next(self._session)

    def generate(self, tokens: Sequence[int], reset: bool = True, **sampling: Any):
        """Tokens after these, without an end; reset: forget what was evaluated before."""
        if reset:
            with self._lock:
                self._session.allow()
                self._session.sync(tokens)
        else:
            self.eval(tokens)
        while True:
            token = self.sample(**sampling)
            yield token
            self.eval([token])

    def reset(self) -> None:
        with self._lock:
            self._session.rewind(0)

    def save_state(self) -> bytes:
        with self._lock:
            return self._session.save()

    def load_state(self, state: bytes) -> None:
        with self._lock, tempfile.NamedTemporaryFile() as file:
            file.write(state)
            file.flush()
            self._session.load(file.name)

    def set_seed(self, seed: int) -> None:
        self._random = random.Random(None if seed in RANDOM_SEEDS else seed)

    def set_cache(self, cache: Any) -> None:
        """Does nothing: the common prefix of two calls is always reused."""

    def embed(self, *_: Any, **__: Any):
        _refuse(embeddings=True)

    create_embedding = embed

    # ---- Sizes ------------------------------------------------------------------------------

    def n_ctx(self) -> int:
        return self._session.n_ctx

    def n_vocab(self) -> int:
        return self._model.info.n_vocab

    def n_embd(self) -> int:
        return self._model.info.n_embd

    def token_bos(self) -> int:
        return int(self._file.metadata.get("tokenizer.ggml.bos_token_id", self._tokenizer.bos))

    def token_eos(self) -> int:
        return int(self._file.metadata.get("tokenizer.ggml.eos_token_id", -1))

    def token_nl(self) -> int:
        return self._tokenizer.encode("\n", bos=False)[-1]

    def tokenizer(self) -> LlamaTokenizer:
        return LlamaTokenizer(self)

    def close(self) -> None:
        for handle in (self._session, self._model, self._tokenizer, self._file):
            handle.close()
