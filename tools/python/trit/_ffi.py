"""The functions and structs of trit.h, by ctypes. tests/python/test_layout.py compares the structs
with the header."""

import ctypes as c
import ctypes.util
import os
from pathlib import Path

i32, u32, u64, f32, f64 = c.c_int32, c.c_uint32, c.c_uint64, c.c_float, c.c_double


class Error(c.Structure):
    _fields_ = [("code", c.c_int), ("text", c.c_char * 512)]


class String(c.Structure):
    _fields_ = [("bytes", c.POINTER(c.c_char)), ("len", c.c_size_t)]

    def take(self) -> bytes:
        return c.string_at(self.bytes, self.len) if self.len else b""


class Value(c.Structure):
    _fields_ = [("type", c.c_int), ("u", u64), ("i", c.c_int64), ("f", f64), ("s", String)]


class Metadata(c.Structure):
    _fields_ = [("key", String), ("type", c.c_int), ("item_type", c.c_int), ("n_items", u64)]


class FileOptions(c.Structure):
    _fields_ = [("size", c.c_size_t), ("no_mmap", c.c_bool), ("lock", c.c_bool),
                ("i2s_layout", c.c_char_p), ("bytes", c.c_void_p), ("n_bytes", c.c_size_t),
                ("overrides", c.POINTER(c.c_char_p)), ("n_overrides", i32)]


class ModelInfo(c.Structure):
    _fields_ = [("arch", c.c_char_p), ("ffn_act", c.c_char_p), ("ffn_act_why", c.c_char_p),
                ("rope_style", c.c_char_p), ("embd_type", c.c_char_p), ("head_type", c.c_char_p),
                ("tied", c.c_bool), ("sub_norms", c.c_bool), ("linear_norms", c.c_bool),
                ("causal", c.c_bool), ("n_layer", i32), ("n_embd", i32), ("n_head", i32),
                ("n_head_kv", i32), ("head_dim", i32), ("n_ff", i32), ("n_vocab", i32),
                ("n_ctx", i32), ("max_ctx", i32), ("rope_base", f64), ("norm_eps", f64),
                ("n_params", u64), ("n_ternary", u64), ("repacked_bytes", u64),
                ("token_bytes", u64)]


class EngineOptions(c.Structure):
    _fields_ = [("size", c.c_size_t), ("n_ctx", i32), ("n_batch", i32), ("n_threads", i32),
                ("isa", c.c_char_p), ("walk", c.c_char_p)]


class SessionOptions(c.Structure):
    _fields_ = [("size", c.c_size_t), ("n_ctx", i32), ("n_batch", i32), ("n_threads", i32),
                ("kv", c.c_int), ("isa", c.c_char_p), ("walk", c.c_char_p),
                ("early_exit", c.c_bool), ("skip_layers", c.POINTER(i32)), ("n_skip", i32),
                ("whole", c.c_bool)]


class LogitBias(c.Structure):
    _fields_ = [("id", i32), ("value", f32)]


class SamplerOptions(c.Structure):
    _fields_ = [("size", c.c_size_t), ("repeat_penalty", f32), ("presence_penalty", f32),
                ("frequency_penalty", f32), ("repeat_last_n", i32),
                ("bias", c.POINTER(LogitBias)), ("n_bias", i32), ("top_k", i32), ("top_p", f32),
                ("min_p", f32), ("temp", f32), ("seed", u64)]


class Message(c.Structure):
    _fields_ = [("role", c.c_int), ("text", String)]


class Chat(c.Structure):
    _fields_ = [("name", c.c_char_p), ("source", String), ("why", c.c_char * 224),
                ("base", c.c_bool), ("missing_markers", c.c_bool), ("knows_thinking", c.c_bool),
                ("stop", c.POINTER(c.c_char_p)), ("n_stop", i32), ("bos", String), ("eos", String),
                ("enable_thinking", c.c_int), ("has_now", c.c_bool), ("now", c.c_int64)]


LogitsFn = c.CFUNCTYPE(c.c_bool, c.c_void_p, i32, c.POINTER(f32))
CancelFn = c.CFUNCTYPE(c.c_bool, c.c_void_p)
WriteFn = c.CFUNCTYPE(c.c_bool, c.c_void_p, c.c_void_p, c.c_size_t)
ValueFn = c.CFUNCTYPE(c.c_bool, c.c_void_p, c.POINTER(Value))
ShiftFn = c.CFUNCTYPE(None, c.c_void_p, i32)
TokenFn = c.CFUNCTYPE(c.c_bool, c.c_void_p, i32, String, c.POINTER(f32))
TextFn = c.CFUNCTYPE(c.c_bool, c.c_void_p, c.POINTER(c.c_char), c.c_size_t)


class Step(c.Structure):
    _fields_ = [("session", c.c_void_p), ("tokens", c.POINTER(i32)), ("n", i32),
                ("want", c.c_int), ("on_logits", LogitsFn), ("user", c.c_void_p),
                ("error", Error)]


class GenerateOptions(c.Structure):
    _fields_ = [("size", c.c_size_t), ("max_tokens", i32), ("ignore_eos", c.c_bool),
                ("stop", c.POINTER(c.c_char_p)), ("n_stop", i32), ("sampler", c.c_void_p),
                ("on_full", c.c_int), ("n_keep", i32), ("on_shift", ShiftFn),
                ("on_token", TokenFn), ("on_text", TextFn), ("user", c.c_void_p)]


class GenerateResult(c.Structure):
    _fields_ = [("finish", c.c_int), ("n_prompt", i32), ("n_new", i32), ("n_left_out", i32),
                ("pending", i32), ("mean_layers", f64), ("prompt_ms", f64),
                ("first_token_ms", f64), ("generate_ms", f64)]


class SessionLoaded(c.Structure):
    _fields_ = [("n_tokens", i32), ("reread", c.c_bool), ("why", c.c_char_p)]


STRUCTS = {
    "trit_error": Error, "trit_string": String, "trit_value": Value, "trit_metadata": Metadata,
    "trit_file_options": FileOptions, "trit_model_info": ModelInfo,
    "trit_engine_options": EngineOptions, "trit_session_options": SessionOptions,
    "trit_logit_bias": LogitBias, "trit_sampler_options": SamplerOptions,
    "trit_message": Message, "trit_chat": Chat, "trit_step": Step,
    "trit_generate_options": GenerateOptions, "trit_generate_result": GenerateResult,
    "trit_session_loaded": SessionLoaded,
}

P, ids_p, err_p = c.c_void_p, c.POINTER(i32), c.POINTER(Error)
out_p, floats_p = c.POINTER(c.c_void_p), c.POINTER(f32)

# name: (result, arguments); a result of c_int is a status
FUNCTIONS = {
    "trit_version": (c.c_char_p, []),
    "trit_status_name": (c.c_char_p, [c.c_int]),
    "trit_free": (None, [P]),
    "trit_file_open": (c.c_int, [out_p, c.c_char_p, c.POINTER(FileOptions), err_p]),
    "trit_file_close": (None, [out_p]),
    "trit_file_n_metadata": (c.c_size_t, [P]),
    "trit_file_metadata": (Metadata, [P, c.c_size_t]),
    "trit_file_values": (None, [P, c.c_size_t, ValueFn, P]),
    "trit_model_open": (c.c_int, [out_p, P, err_p]),
    "trit_model_close": (None, [out_p]),
    "trit_model_get_info": (None, [P, c.POINTER(ModelInfo)]),
    "trit_tokenizer_open": (c.c_int, [out_p, P, err_p]),
    "trit_tokenizer_close": (None, [out_p]),
    "trit_tokenizer_encode": (c.c_int, [P, c.c_char_p, c.c_size_t, c.c_uint, c.POINTER(ids_p),
                                        c.POINTER(i32), err_p]),
    "trit_tokenizer_piece": (String, [P, i32, c.c_bool]),
    "trit_tokenizer_n_vocab": (i32, [P]),
    "trit_tokenizer_bos": (i32, [P]),
    "trit_tokenizer_is_end": (c.c_bool, [P, i32]),
    "trit_chat_choose": (c.c_int, [c.POINTER(Chat), P, P, c.c_char_p, err_p]),
    "trit_chat_render": (c.c_int, [c.POINTER(Chat), c.POINTER(Message), i32,
                                   c.POINTER(c.POINTER(c.c_char)), c.POINTER(c.c_size_t), err_p]),
    "trit_chat_encode": (c.c_int, [c.POINTER(Chat), P, c.POINTER(Message), i32,
                                   c.POINTER(ids_p), c.POINTER(i32), c.POINTER(i32), err_p]),
    "trit_sampler_open": (c.c_int, [out_p, i32, c.POINTER(SamplerOptions), err_p]),
    "trit_sampler_close": (None, [out_p]),
    "trit_sampler_next": (i32, [P, floats_p, ids_p, i32]),
    "trit_argmax": (i32, [floats_p, i32]),
    "trit_logprob": (f64, [floats_p, i32, i32]),
    "trit_engine_open": (c.c_int, [out_p, P, c.POINTER(EngineOptions), err_p]),
    "trit_engine_close": (None, [out_p]),
    "trit_engine_eval": (c.c_int, [P, c.POINTER(Step), i32, err_p]),
    "trit_session_open": (c.c_int, [out_p, P, c.POINTER(SessionOptions), err_p]),
    "trit_session_open_on": (c.c_int, [out_p, P, c.POINTER(SessionOptions), err_p]),
    "trit_session_fork": (c.c_int, [out_p, P, i32, err_p]),
    "trit_session_close": (None, [out_p]),
    "trit_session_eval": (c.c_int, [P, ids_p, i32, LogitsFn, P, err_p]),
    "trit_session_sync": (c.c_int, [P, ids_p, i32, err_p]),
    "trit_session_rewind": (None, [P, i32]),
    "trit_session_logits": (floats_p, [P]),
    "trit_session_tokens": (ids_p, [P]),
    "trit_session_n_tokens": (i32, [P]),
    "trit_session_n_ctx": (i32, [P]),
    "trit_session_set_cancel": (None, [P, CancelFn, P]),
    "trit_session_save": (c.c_int, [P, WriteFn, P, err_p]),
    "trit_session_load": (c.c_int, [P, c.c_char_p, c.POINTER(SessionLoaded), err_p]),
    "trit_generator_open": (c.c_int, [out_p, P, P, ids_p, i32, c.POINTER(GenerateOptions), err_p]),
    "trit_generator_close": (None, [out_p]),
    "trit_generator_next": (c.c_int, [P, c.POINTER(c.c_bool), err_p]),
    "trit_generator_result": (c.POINTER(GenerateResult), [P]),
}


def _candidates():
    """Where the library may be, the most specific place first."""
    here = Path(__file__).resolve().parent
    names = ["libtrit.so", "libtrit.dylib", "trit.dll"]
    if os.environ.get("TRIT_LIBRARY"):
        yield os.environ["TRIT_LIBRARY"]
        return
    for name in names:  # in a wheel
        if (here / name).exists():
            yield str(here / name)
    for name in names:  # in the build of a checkout
        built = here.parents[2] / "build" / name
        if built.exists():
            yield str(built)
    found = ctypes.util.find_library("trit")
    if found:
        yield found
    yield "libtrit.so.0.2"


def _load() -> c.CDLL:
    tried = []
    for path in _candidates():
        try:
            library = c.CDLL(path)
            for name, (result, arguments) in FUNCTIONS.items():
                function = getattr(library, name)
                function.restype, function.argtypes = result, arguments
            return library
        except (OSError, AttributeError) as error:  # none there, or one of another version
            tried.append(f"{path} ({error})")
    raise ImportError("trit: the shared library was not found; set TRIT_LIBRARY to its path. "
                      "Tried: " + ", ".join(tried))


lib = _load()
