"""The objects of trit.h as classes. Each owns its object, and keeps what that needs. close() is
optional; objects are also context managers."""

import ctypes as c
import threading
from typing import Callable, Dict, Iterator, List, Optional, Sequence, Tuple, Union

from . import _ffi as ffi
from ._ffi import lib

Text = Union[str, bytes]


class Error(RuntimeError):
    """A function of the library has failed. status is the name of its trit_status."""

    def __init__(self, code: int, text: str):
        super().__init__(text)
        self.status = lib.trit_status_name(code).decode()


class ArgumentError(Error, ValueError):
    pass


class FileError(Error, ValueError):
    pass


class UnsupportedError(Error, ValueError):
    pass


class OutOfMemory(Error, MemoryError):
    pass


class Cancelled(Error):
    pass


_ERRORS = {2: ArgumentError, 3: FileError, 4: UnsupportedError, 5: OutOfMemory, 6: Cancelled}


def _check(code: int, error: ffi.Error) -> None:
    if code:
        raise _ERRORS.get(code, Error)(code, error.text.decode("utf-8", "replace"))


def _bytes(text: Text) -> bytes:
    return text.encode() if isinstance(text, str) else bytes(text)


def _ids(tokens: Sequence[int]):
    return (ffi.i32 * max(len(tokens), 1))(*tokens)


def _take_ids(pointer, n: int) -> List[int]:
    try:
        return pointer[:n]
    finally:
        lib.trit_free(pointer)


class _Handle:
    """Owns an object that `close` closes. needs: other handles that must stay open."""

    def __init__(self, open_fn: str, close_fn: str, *arguments, needs: Tuple = ()):
        self._pointer = c.c_void_p()
        self._close = getattr(lib, close_fn)
        self._needs = needs
        error = ffi.Error()
        _check(getattr(lib, open_fn)(c.byref(self._pointer), *arguments, c.byref(error)), error)

    @property
    def pointer(self) -> c.c_void_p:
        if not self._pointer:
            raise ValueError(f"this {type(self).__name__} is closed")
        return self._pointer

    def close(self) -> None:
        if getattr(self, "_pointer", None):
            self._close(c.byref(self._pointer))
        self._needs = ()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        self.close()


class File(_Handle):
    """A GGUF. metadata: the single values and short lists among its entries."""

    MOST_ITEMS = 1024  # longer arrays, such as vocabularies, are left out of metadata

    def __init__(self, path: str, no_mmap: bool = False, lock: bool = False,
                 i2s_layout: Optional[str] = None):
        options = ffi.FileOptions(c.sizeof(ffi.FileOptions), no_mmap, lock,
                                  i2s_layout.encode() if i2s_layout else None)
        super().__init__("trit_file_open", "trit_file_close", str(path).encode(),
                         c.byref(options))
        self.path = str(path)
        self.metadata: Dict[str, object] = self._read_metadata()

    def _read_metadata(self) -> Dict[str, object]:
        entries: Dict[str, object] = {}
        for i in range(lib.trit_file_n_metadata(self.pointer)):
            entry = lib.trit_file_metadata(self.pointer, i)
            if entry.n_items > self.MOST_ITEMS:
                continue
            values: List[object] = []

            def add(_, value, values=values):
                values.append(self._value(value.contents))
                return True

            lib.trit_file_values(self.pointer, i, ffi.ValueFn(add), None)
            is_array = entry.type == 9
            key = entry.key.take().decode("utf-8", "replace")
            entries[key] = values if is_array else values[0]
        return entries

    @staticmethod
    def _value(v: ffi.Value) -> object:
        if v.type == 8:
            return v.s.take().decode("utf-8", "replace")
        if v.type == 7:
            return bool(v.u)
        if v.type in (6, 12):
            return v.f
        return v.i if v.type in (1, 3, 5, 11) else v.u


class Model(_Handle):
    """Its sizes are attributes of info: n_layer, n_embd, n_vocab, n_ctx, …"""

    def __init__(self, file: File):
        super().__init__("trit_model_open", "trit_model_close", file.pointer, needs=(file,))
        self.file = file
        self.info = ffi.ModelInfo()
        lib.trit_model_get_info(self.pointer, c.byref(self.info))


class Tokenizer(_Handle):
    def __init__(self, file: File):
        super().__init__("trit_tokenizer_open", "trit_tokenizer_close", file.pointer)
        self.n_vocab: int = lib.trit_tokenizer_n_vocab(self.pointer)
        self.bos: int = lib.trit_tokenizer_bos(self.pointer)

    def encode(self, text: Text, bos: bool = True, special: bool = False) -> List[int]:
        data, ids, n, error = _bytes(text), ffi.ids_p(), ffi.i32(), ffi.Error()
        _check(lib.trit_tokenizer_encode(self.pointer, data, len(data), bos | special << 1,
                                         c.byref(ids), c.byref(n), c.byref(error)), error)
        return _take_ids(ids, n.value)

    def piece(self, token: int, special: bool = False) -> bytes:
        return lib.trit_tokenizer_piece(self.pointer, token, special).take()

    def decode(self, tokens: Sequence[int], special: bool = False) -> bytes:
        return b"".join(self.piece(token, special) for token in tokens)

    def is_end(self, token: int) -> bool:
        return lib.trit_tokenizer_is_end(self.pointer, token)


class Chat:
    """A chat template: the one that fits the file, or the one with that name."""

    ROLES = {"system": 0, "user": 1, "assistant": 2}

    def __init__(self, file: File, tokenizer: Tokenizer, name: Optional[str] = None):
        self._chat, error = ffi.Chat(), ffi.Error()
        self._tokenizer = tokenizer
        _check(lib.trit_chat_choose(c.byref(self._chat), file.pointer, tokenizer.pointer,
                                    name.encode() if name else None, c.byref(error)), error)
        self.name: str = self._chat.name.decode()
        self.stop: List[str] = [self._chat.stop[i].decode() for i in range(self._chat.n_stop)]

    def _messages(self, messages: Sequence[Tuple[str, Text]]):
        array = (ffi.Message * max(len(messages), 1))()
        texts = [_bytes(text) for _, text in messages]
        for item, (role, _), text in zip(array, messages, texts):
            if role not in self.ROLES:
                raise ValueError(f"unknown role '{role}'; it must be system, user or assistant")
            item.role = self.ROLES[role]
            item.text = ffi.String(c.cast(c.c_char_p(text), c.POINTER(c.c_char)), len(text))
        return array, texts  # the texts must live as long as the array

    def render(self, messages: Sequence[Tuple[str, Text]]) -> str:
        array, _texts = self._messages(messages)
        text, n, error = c.POINTER(c.c_char)(), c.c_size_t(), ffi.Error()
        _check(lib.trit_chat_render(c.byref(self._chat), array, len(messages), c.byref(text),
                                    c.byref(n), c.byref(error)), error)
        try:
            return c.string_at(text, n.value).decode("utf-8", "replace")
        finally:
            lib.trit_free(text)

    def encode(self, messages: Sequence[Tuple[str, Text]]) -> List[int]:
        array, _texts = self._messages(messages)
        ids, n, error = ffi.ids_p(), ffi.i32(), ffi.Error()
        _check(lib.trit_chat_encode(c.byref(self._chat), self._tokenizer.pointer, array,
                                    len(messages), c.byref(ids), c.byref(n), None,
                                    c.byref(error)), error)
        return _take_ids(ids, n.value)


class Sampler(_Handle):
    """Without options it takes the most likely token."""

    def __init__(self, n_vocab: int, temp: float = 0, top_k: int = 0, top_p: float = 0,
                 min_p: float = 0, repeat_penalty: float = 0, presence_penalty: float = 0,
                 frequency_penalty: float = 0, repeat_last_n: int = 0, seed: int = 0,
                 logit_bias: Optional[Dict[int, float]] = None):
        bias = [ffi.LogitBias(int(k), float(v)) for k, v in (logit_bias or {}).items()]
        array = (ffi.LogitBias * max(len(bias), 1))(*bias)
        options = ffi.SamplerOptions(
            c.sizeof(ffi.SamplerOptions), repeat_penalty, presence_penalty, frequency_penalty,
            repeat_last_n, array, len(bias), top_k, top_p, min_p, temp, seed)
        super().__init__("trit_sampler_open", "trit_sampler_close", n_vocab, c.byref(options))

    def next(self, session: "Session") -> int:
        if not session.logits:
            raise ValueError("the session has no logits; evaluate tokens first")
        return lib.trit_sampler_next(self.pointer, session.logits,
                                     lib.trit_session_tokens(session.pointer), session.n_tokens)


class Engine(_Handle):
    """Threads and memory to evaluate a model. It and its sessions are for one thread at a time."""

    def __init__(self, model: Model, n_ctx: int = 0, n_batch: int = 0, n_threads: int = 0,
                 isa: Optional[str] = None):
        options = ffi.EngineOptions(c.sizeof(ffi.EngineOptions), n_ctx, n_batch, n_threads,
                                    isa.encode() if isa else None)
        super().__init__("trit_engine_open", "trit_engine_close", model.pointer,
                         c.byref(options), needs=(model,))
        self.model = model

    def eval(self, steps: Sequence[Tuple["Session", Sequence[int]]]) -> List[Optional[Error]]:
        """Append tokens to many sessions, and evaluate all together. @return why each failed"""
        tokens = [_ids(ids) for _, ids in steps]
        array = (ffi.Step * max(len(steps), 1))()
        for step, (session, ids), pointer in zip(array, steps, tokens):
            step.session, step.n = session.pointer.value, len(ids)
            step.tokens = c.cast(pointer, ffi.ids_p)
        lib.trit_engine_eval(self.pointer, array, len(steps), None)
        failures: List[Optional[Error]] = []
        for step in array[:len(steps)]:
            try:
                _check(step.error.code, step.error)
                failures.append(None)
            except Error as error:
                failures.append(error)
        return failures


class Session(_Handle):
    """A timeline of tokens. on: a Model, for an engine of its own, or an Engine."""

    def __init__(self, on: Union[Model, Engine], n_ctx: int = 0, n_batch: int = 0,
                 n_threads: int = 0, kv: str = "f16", isa: Optional[str] = None,
                 early_exit: bool = False):
        if kv not in ("f16", "f32", "i8"):
            raise ValueError(f"unknown KV cache type '{kv}'; it must be f16, f32 or i8")
        options = ffi.SessionOptions(c.sizeof(ffi.SessionOptions), n_ctx, n_batch, n_threads,
                                     ("f16", "f32", "i8").index(kv),
                                     isa.encode() if isa else None, None, early_exit)
        function = "trit_session_open" if isinstance(on, Model) else "trit_session_open_on"
        self._open(function, (on,), on.pointer, c.byref(options))
        self.model: Model = on if isinstance(on, Model) else on.model

    def _open(self, function: str, needs: Tuple, *arguments) -> None:
        super().__init__(function, "trit_session_close", *arguments, needs=needs)
        self._cancelled = threading.Event()
        self._cancel_fn = ffi.CancelFn(lambda _: self._cancelled.is_set())
        lib.trit_session_set_cancel(self.pointer, self._cancel_fn, None)

    def fork(self, n_tokens: int) -> "Session":
        """Another session on the same engine with a copy of the first n_tokens tokens."""
        fork = Session.__new__(Session)
        fork._open("trit_session_fork", self._needs, self.pointer, n_tokens)
        fork.model = self.model
        return fork

    def eval(self, tokens: Sequence[int]) -> None:
        error = ffi.Error()
        _check(lib.trit_session_eval(self.pointer, _ids(tokens), len(tokens), ffi.LogitsFn(),
                                     None, c.byref(error)), error)

    def sync(self, tokens: Sequence[int]) -> None:
        error = ffi.Error()
        _check(lib.trit_session_sync(self.pointer, _ids(tokens), len(tokens), c.byref(error)),
               error)

    def rewind(self, n_tokens: int) -> None:
        lib.trit_session_rewind(self.pointer, n_tokens)

    def cancel(self) -> None:
        """End the evaluation or generation that runs in another thread."""
        self._cancelled.set()

    def allow(self) -> None:
        """After cancel(), let evaluations run again."""
        self._cancelled.clear()

    @property
    def logits(self):
        """Pointer to n_vocab floats, valid until the next call; false if there are none."""
        return lib.trit_session_logits(self.pointer)

    @property
    def tokens(self) -> List[int]:
        return lib.trit_session_tokens(self.pointer)[:self.n_tokens]

    @property
    def n_tokens(self) -> int:
        return lib.trit_session_n_tokens(self.pointer)

    @property
    def n_ctx(self) -> int:
        return lib.trit_session_n_ctx(self.pointer)

    def save(self) -> bytes:
        parts: List[bytes] = []

        def write(_, data, n):
            parts.append(c.string_at(data, n))
            return True

        error = ffi.Error()
        _check(lib.trit_session_save(self.pointer, ffi.WriteFn(write), None, c.byref(error)),
               error)
        return b"".join(parts)

    def load(self, path: str) -> None:
        loaded, error = ffi.SessionLoaded(), ffi.Error()
        _check(lib.trit_session_load(self.pointer, str(path).encode(), c.byref(loaded),
                                     c.byref(error)), error)


FINISH = ("eos", "length", "stop", "context", "interrupt")
OnToken = Callable[[int, bytes, object], Optional[bool]]


class Generator(_Handle):
    """Iterates over the text of a continuation, a piece for each step; pieces may be empty.

    on_token(id, piece, logits) is called for each token; False ends the generation, and what it
    raises ends it and is raised by the iteration. logits is a pointer to n_vocab floats."""

    def __init__(self, session: Session, tokenizer: Tokenizer, tokens: Sequence[int],
                 max_tokens: int = -1, stop: Sequence[Text] = (), ignore_eos: bool = False,
                 sampler: Optional[Sampler] = None, on_full: str = "stop", n_keep: int = 0,
                 on_token: Optional[OnToken] = None):
        self._text: List[bytes] = []
        self._raised: Optional[BaseException] = None
        self._on_token = on_token
        self._tokens = _ids(tokens)
        self._stop = (c.c_char_p * max(len(stop), 1))(*[_bytes(s) for s in stop])
        self._more = True
        options = ffi.GenerateOptions(
            c.sizeof(ffi.GenerateOptions), max_tokens, ignore_eos, self._stop, len(stop),
            sampler.pointer.value if sampler else None, ("stop", "shift").index(on_full), n_keep)
        options.on_token = self._token_fn = ffi.TokenFn(self._take_token)
        options.on_text = self._text_fn = ffi.TextFn(self._take_text)
        super().__init__("trit_generator_open", "trit_generator_close", session.pointer,
                         tokenizer.pointer, self._tokens, len(tokens), c.byref(options),
                         needs=(session, tokenizer, sampler))

    def _take_token(self, _, token, piece, logits) -> bool:
        try:
            return self._on_token is None or \
                self._on_token(token, piece.take(), logits) is not False
        except BaseException as error:  # it must not pass through the frames of C
            self._raised = error
            return False

    def _take_text(self, _, text, n) -> bool:
        self._text.append(c.string_at(text, n))
        return True

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if not self._more:
            raise StopIteration
        more, error = c.c_bool(), ffi.Error()
        code = lib.trit_generator_next(self.pointer, c.byref(more), c.byref(error))
        self._more = more.value
        if self._raised:
            raised, self._raised = self._raised, None
            raise raised
        _check(code, error)
        text = b"".join(self._text).decode("utf-8", "replace")
        self._text.clear()
        if not self._more and not text:
            raise StopIteration
        return text

    @property
    def result(self) -> ffi.GenerateResult:
        return lib.trit_generator_result(self.pointer).contents

    @property
    def finish(self) -> str:
        return FINISH[self.result.finish]


def version() -> str:
    return lib.trit_version().decode()
