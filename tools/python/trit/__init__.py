"""trit: run ternary (BitNet b1.58) language models on ordinary CPUs.

    from trit import Llama
    llm = Llama(model_path="model.gguf")
    print(llm("Once upon a time", max_tokens=40)["choices"][0]["text"])

Llama has the calls of llama-cpp-python. The other classes are those of trit.h."""

from .core import (ArgumentError, Cancelled, Chat, Engine, Error, File, FileError, Generator,
                   Model, OutOfMemory, Sampler, Session, Tokenizer, UnsupportedError, version)
from .llama import Llama

__all__ = ["ArgumentError", "Cancelled", "Chat", "Engine", "Error", "File", "FileError",
           "Generator", "Llama", "Model", "OutOfMemory", "Sampler", "Session", "Tokenizer",
           "UnsupportedError", "version"]
__version__ = version()
