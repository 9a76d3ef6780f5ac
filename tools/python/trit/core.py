"""The objects of trit.h as classes. Each owns its object, and keeps what that needs. close() is
optional; objects are also context managers."""

import ctypes as c
import os
import signal
import threading
import weakref
from collections import deque
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple, Union

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


class _Turn:
    """A call at a time on an engine and its sessions, whatever thread it comes from.

    Ctrl-C waits for the end of the call, which it hastens: Python would raise it in a callback,
    where it would be lost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner: Optional[int] = None
        self._dead: deque = deque()  # objects to be closed
        self._handler: Any = None
        self.interrupted = False

    def __enter__(self) -> None:
        if self._owner == threading.get_ident():
            raise RuntimeError("a callback must not use the session that calls it")
        self._lock.acquire()
        self._owner = threading.get_ident()
        self._hold_interrupts()

    def __exit__(self, *_) -> None:
        handler, interrupted = self._handler, self.interrupted
        self._handler, self.interrupted = None, False
        if handler:
            signal.signal(signal.SIGINT, handler)
        self._owner = None
        self._lock.release()
        self._sweep()
        if interrupted:
            handler(signal.SIGINT, None)

    def _hold_interrupts(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        handler = signal.getsignal(signal.SIGINT)
        if callable(handler):
            self._handler = handler
            signal.signal(signal.SIGINT, self._interrupt)

    def _interrupt(self, *_) -> None:
        self.interrupted = True

    def close(self, close_fn: Callable, pointer: c.c_void_p, needs: Tuple) -> None:
        """Close an object now or, if a call is running, after it."""
        self._dead.append((close_fn, pointer, needs))
        self._sweep()

    def _sweep(self) -> None:
        while self._dead and self._lock.acquire(False):
            try:
                while self._dead:
                    close_fn, pointer, _needs = self._dead.popleft()
                    close_fn(c.byref(pointer))
            finally:
                self._lock.release()


class _Pointer(c.c_void_p):
    """Owns an object of the library, which is closed with the last reference to it: a handle's,
    another pointer's that needs it, or that of a call which is still running."""

    close_fn: Any = None
    needs: Tuple = ()
    turn: Optional[_Turn] = None

    def __del__(self) -> None:
        if not self:
            return
        if self.turn:
            self.turn.close(self.close_fn, c.c_void_p(self.value), self.needs)
        else:
            self.close_fn(c.byref(self))


class _Handle:
    """needs: other handles whose objects must stay open as long as this one's."""

    _pointer: Optional[_Pointer] = None

    def __init__(self, open_fn: str, close_fn: str, *arguments, needs: Tuple = (),
                 turn: Optional[_Turn] = None):
        pointer, error = _Pointer(), ffi.Error()
        pointer.close_fn, pointer.turn = getattr(lib, close_fn), turn
        pointer.needs = tuple(need.pointer for need in needs if need)
        _check(getattr(lib, open_fn)(c.byref(pointer), *arguments, c.byref(error)), error)
        self._pointer = pointer

    @property
    def pointer(self) -> _Pointer:
        if not self._pointer:
            raise ValueError(f"this {type(self).__name__} is closed")
        return self._pointer

    def close(self) -> None:
        """The object itself is closed when no other needs it."""
        self._pointer = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class File(_Handle):
    """A GGUF. metadata: the single values and short lists among its entries."""

    MOST_ITEMS = 1024  # longer arrays, such as vocabularies, are left out of metadata

    def __init__(self, path: str, no_mmap: bool = False, lock: bool = False,
                 i2s_layout: Optional[str] = None, overrides: Sequence[str] = ()):
        texts = [text.encode() for text in overrides]  # "KEY=VALUE" or "KEY=TYPE:VALUE"
        array = (c.c_char_p * max(len(texts), 1))(*texts)
        options = ffi.FileOptions(c.sizeof(ffi.FileOptions), no_mmap, lock,
                                  i2s_layout.encode() if i2s_layout else None, None, 0, array,
                                  len(texts))
        super().__init__("trit_file_open", "trit_file_close", os.fsencode(path),
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
    """A chat template: the file's own or the one that fits it, the one with that name, or a text in
    the language Jinja. enable_thinking: True, False, or None: as the template has it."""

    ROLES = {"system": 0, "user": 1, "assistant": 2}

    def __init__(self, file: File, tokenizer: Tokenizer, name: Optional[str] = None,
                 enable_thinking: Optional[bool] = None):
        self._chat, error = ffi.Chat(), ffi.Error()
        self._tokenizer = tokenizer
        self._file = file  # holds the template
        self._name = name.encode() if name else None
        _check(lib.trit_chat_choose(c.byref(self._chat), file.pointer, tokenizer.pointer,
                                    self._name, c.byref(error)), error)
        if enable_thinking is not None:
            self._chat.enable_thinking = enable_thinking
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
        with session._turn:
            if not session.logits:
                raise ValueError("the session has no logits; evaluate tokens first")
            return lib.trit_sampler_next(self.pointer, session.logits,
                                         lib.trit_session_tokens(session.pointer),
                                         session.n_tokens)


class Engine(_Handle):
    """Threads and memory to evaluate a model. Calls on it and its sessions take turns."""

    def __init__(self, model: Model, n_ctx: int = 0, n_batch: int = 0, n_threads: int = 0,
                 isa: Optional[str] = None):
        options = ffi.EngineOptions(c.sizeof(ffi.EngineOptions), n_ctx, n_batch, n_threads,
                                    isa.encode() if isa else None)
        self._turn = _Turn()
        super().__init__("trit_engine_open", "trit_engine_close", model.pointer,
                         c.byref(options), needs=(model,), turn=self._turn)
        self.model = model

    def eval(self, steps: Sequence[Tuple["Session", Sequence[int]]]) -> List[Optional[Error]]:
        """Append tokens to many sessions, and evaluate all together. @return why each failed"""
        tokens = [_ids(ids) for _, ids in steps]
        pointers = [session.pointer for session, _ in steps]
        array = (ffi.Step * max(len(steps), 1))()
        for step, pointer, ids, (_, given) in zip(array, pointers, tokens, steps):
            step.session, step.n = pointer.value, len(given)
            step.tokens = c.cast(ids, ffi.ids_p)
        with self._turn:
            for session, _ in steps:
                session._end_generator()
            lib.trit_engine_eval(self.pointer, array, len(steps), None)
        failures: List[Optional[Error]] = []
        for step in array[:len(steps)]:
            try:
                _check(step.error.code, step.error)
                failures.append(None)
            except Error as error:
                failures.append(error)
        return failures


OnLogits = Callable[[int, Any], object]


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
        own = isinstance(on, Model)
        self._open("trit_session_open" if own else "trit_session_open_on", on, on.pointer,
                   c.byref(options), turn=_Turn() if own else on._turn)
        self.model: Model = on if own else on.model

    def _open(self, function: str, needs: _Handle, *arguments, turn: _Turn) -> None:
        self._turn = turn
        self._needs = needs
        self._generator: Any = lambda: None  # a weak reference to the one that is open
        self._cancelled = cancelled = threading.Event()
        with turn:
            super().__init__(function, "trit_session_close", *arguments, needs=(needs,), turn=turn)
        self._cancel_fn = ffi.CancelFn(lambda _: cancelled.is_set() or turn.interrupted)
        self._pointer.cancel_fn = self._cancel_fn  # lives as long as the object

    def fork(self, n_tokens: int) -> "Session":
        """Another session on the same engine with a copy of the first n_tokens tokens."""
        fork = Session.__new__(Session)
        fork._open("trit_session_fork", self._needs, self.pointer, n_tokens, turn=self._turn)
        fork.model = self.model
        return fork

    def _end_generator(self) -> None:
        """Its prompt and the timeline would not match any more."""
        generator = self._generator()
        if generator:
            generator.close()

    def _watch(self, on: bool) -> None:
        """Look for cancel() between layers. It takes the GIL, so it is for long evaluations."""
        lib.trit_session_set_cancel(self.pointer, self._cancel_fn if on else ffi.CancelFn(), None)

    def _change(self, function: Callable, *arguments) -> None:
        """Call a function that changes the timeline."""
        error = ffi.Error()
        with self._turn:
            self._end_generator()
            self._watch(True)
            code = function(self.pointer, *arguments, c.byref(error))
        _check(code, error)

    def eval(self, tokens: Sequence[int], on_logits: Optional[OnLogits] = None) -> None:
        """on_logits(position, logits) is called for each token; what it raises ends the evaluation,
        which then leaves the timeline as it was."""
        raised: List[BaseException] = []

        def take(_, position, logits) -> bool:
            try:
                on_logits(position, logits)
            except BaseException as error:
                raised.append(error)
            return not raised

        try:
            self._change(lib.trit_session_eval, _ids(tokens), len(tokens),
                         ffi.LogitsFn(take) if on_logits else ffi.LogitsFn(), None)
        except Cancelled:
            if raised:
                raise raised.pop()
            raise

    def sync(self, tokens: Sequence[int]) -> None:
        self._change(lib.trit_session_sync, _ids(tokens), len(tokens))

    def rewind(self, n_tokens: int) -> None:
        with self._turn:
            self._end_generator()
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
        logits = lib.trit_session_logits(self.pointer)
        logits.session = self.pointer  # is not closed as long as the logits are used
        return logits

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
        with self._turn:
            code = lib.trit_session_save(self.pointer, ffi.WriteFn(write), None, c.byref(error))
        _check(code, error)
        return b"".join(parts)

    def load(self, path: str) -> None:
        self._change(lib.trit_session_load, os.fsencode(path), c.byref(ffi.SessionLoaded()))


FINISH = ("eos", "length", "stop", "context", "interrupt")
OnToken = Callable[[int, bytes, object], Optional[bool]]


class _Output:
    """The callbacks of a generator. It does not know the generator, which is thus freed at once."""

    def __init__(self, turn: _Turn, on_token: Optional[OnToken]):
        text: List[bytes] = []
        raised: List[BaseException] = []

        def take_text(_, data, n) -> bool:
            text.append(c.string_at(data, n))
            return not turn.interrupted

        def take_token(_, token, piece, logits) -> bool:
            try:
                return on_token(token, piece.take(), logits) is not False
            except BaseException as error:  # it must not pass through the frames of C
                raised.append(error)
                return False

        self._text, self._raised = text, raised
        self.text_fn, self.token_fn = ffi.TextFn(take_text), ffi.TokenFn(take_token)

    def take(self) -> str:
        text = b"".join(self._text).decode("utf-8", "replace")
        self._text.clear()
        return text

    def raise_again(self) -> None:
        if self._raised:
            raise self._raised.pop()


class Generator(_Handle):
    """Iterates over the text of a continuation, a piece for each step; pieces may be empty.

    on_token(id, piece, logits) is called for each token; False ends the generation, and what it
    raises ends it and is raised by the iteration. logits is a pointer to n_vocab floats."""

    def __init__(self, session: Session, tokenizer: Tokenizer, tokens: Sequence[int],
                 max_tokens: int = -1, stop: Sequence[Text] = (), ignore_eos: bool = False,
                 sampler: Optional[Sampler] = None, on_full: str = "stop", n_keep: int = 0,
                 on_token: Optional[OnToken] = None):
        self._session = session
        self._output = _Output(session._turn, on_token)
        self._tokens = _ids(tokens)
        stops = (c.c_char_p * max(len(stop), 1))(*[_bytes(s) for s in stop])
        options = ffi.GenerateOptions(
            c.sizeof(ffi.GenerateOptions), max_tokens, ignore_eos, stops, len(stop),
            sampler.pointer.value if sampler else None, ("stop", "shift").index(on_full), n_keep)
        if on_token:
            options.on_token = self._output.token_fn
        options.on_text = self._output.text_fn
        with session._turn:
            session._end_generator()
            super().__init__("trit_generator_open", "trit_generator_close", session.pointer,
                             tokenizer.pointer, self._tokens, len(tokens), c.byref(options),
                             needs=(session, tokenizer, sampler))
            session._generator = weakref.ref(self)
        self._pointer.borrowed = (self._tokens, stops, self._output)
        self._more, self._first = True, True

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if not self._more:
            raise StopIteration
        more, error, output = c.c_bool(), ffi.Error(), self._output
        with self._session._turn:
            # The first step has the prompt; a later one shows whether it is cancelled already.
            self._session._watch(self._first or self._session._cancelled.is_set())
            code = lib.trit_generator_next(self.pointer, c.byref(more), c.byref(error))
            self._first, self._more = False, more.value
            if not self._more:
                self._session._generator = lambda: None
        output.raise_again()
        _check(code, error)
        text = output.take()
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
