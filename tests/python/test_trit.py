"""The Python package against the model of this repository."""

import gc
import os
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
import weakref
from pathlib import Path

import trit

ROOT = Path(__file__).resolve().parents[2]
MODEL = str(ROOT / "models/fables.gguf")
PROMPT = "Once upon a time"


def open_llama(**arguments):
    return trit.Llama(model_path=MODEL, n_ctx=256, n_threads=1, verbose=False, n_gpu_layers=-1,
                      **arguments)


class Classes(unittest.TestCase):
    def setUp(self):
        self.file = trit.File(MODEL)
        self.tokenizer = trit.Tokenizer(self.file)
        self.model = trit.Model(self.file)
        self.session = trit.Session(self.model, n_ctx=128, n_threads=1)

    def text(self, session, **options):
        return "".join(trit.Generator(session, self.tokenizer, self.tokenizer.encode(PROMPT),
                                      **options))

    def test_file(self):
        self.assertEqual(self.file.metadata["general.architecture"], self.model.info.arch.decode())
        self.assertIsInstance(self.file.metadata["general.file_type"], int)
        self.assertEqual(trit.version(), trit.__version__)

    def test_errors(self):
        with self.assertRaises(ValueError) as caught:
            trit.File("no such file")
        self.assertEqual(caught.exception.status, "TRIT_E_FILE")
        with self.assertRaises(trit.ArgumentError):
            self.session.eval([1 << 30])
        with self.assertRaises(trit.ArgumentError):
            trit.Session(self.model, n_threads=100000)
        self.file.close()
        with self.assertRaises(ValueError):
            trit.Tokenizer(self.file)

    def test_tokens(self):
        ids = self.tokenizer.encode(PROMPT, bos=False)
        self.assertEqual(self.tokenizer.decode(ids), PROMPT.encode())
        self.assertEqual(self.tokenizer.bos, -1)  # this model has none
        self.assertEqual(self.tokenizer.encode(PROMPT), ids)
        self.assertTrue(self.tokenizer.is_end(self.tokenizer.n_vocab - 1))

    def test_generation_is_that_of_the_program(self):
        program = os.environ.get("TRIT_PROGRAM")
        if not program:
            self.skipTest("TRIT_PROGRAM is not set")
        said = subprocess.run([program, "run", "-m", MODEL, "-p", PROMPT, "-n", "30", "--temp", "0",
                               "-q"], capture_output=True, text=True, check=True)
        self.assertEqual(self.text(self.session, max_tokens=30), said.stdout[:-1])

    def test_stop_and_result(self):
        whole = self.text(self.session, max_tokens=30)
        generator = trit.Generator(self.session, self.tokenizer, self.tokenizer.encode(PROMPT),
                                   max_tokens=30, stop=[whole[10:15]])
        self.assertEqual("".join(generator), whole[:whole.index(whole[10:15])])
        self.assertEqual(generator.finish, "stop")

    def test_callback_raises(self):
        seen = []

        def on_token(token, piece, logits):
            seen.append(token)
            if len(seen) == 3:
                raise KeyError("enough")

        with self.assertRaises(KeyError):
            self.text(self.session, max_tokens=30, on_token=on_token)
        self.assertEqual(len(seen), 3)
        self.assertTrue(self.text(self.session, max_tokens=3))

    def test_on_logits(self):
        ids, seen = self.tokenizer.encode(PROMPT), []
        self.session.eval(ids, lambda position, logits: seen.append(position))
        self.assertEqual(seen, list(range(len(ids))))

        def fail(position, logits):
            raise KeyError("enough")

        with self.assertRaises(KeyError):
            self.session.eval(ids, fail)
        self.assertEqual(self.session.tokens, ids)

    def test_closing_in_any_order(self):
        generator = trit.Generator(self.session, self.tokenizer, self.tokenizer.encode(PROMPT),
                                   max_tokens=20)
        next(generator)
        for handle in (self.file, self.model, self.tokenizer):
            handle.close()
        next(generator)
        self.session.close()
        with self.assertRaisesRegex(ValueError, "closed"):
            next(generator)
        with self.assertRaisesRegex(ValueError, "closed"):
            self.session.rewind(0)

    def test_freed_at_once(self):
        self.text(self.session, max_tokens=2)
        session = weakref.ref(self.session)
        gc.disable()
        try:
            del self.session
            self.assertIsNone(session())
        finally:
            gc.enable()

    def test_callback_uses_its_session(self):
        with self.assertRaisesRegex(RuntimeError, "callback"):
            self.text(self.session, max_tokens=9,
                      on_token=lambda *_: self.session.rewind(0))

    def test_another_use_ends_a_generator(self):
        ids = self.tokenizer.encode(PROMPT)
        for use in (lambda: self.session.rewind(0), lambda: self.session.sync(ids),
                    lambda: self.text(self.session, max_tokens=1)):
            generator = trit.Generator(self.session, self.tokenizer, ids, max_tokens=20)
            next(generator)
            use()
            with self.assertRaisesRegex(ValueError, "closed"):
                next(generator)

    def test_two_threads_on_one_session(self):
        whole = self.tokenizer.encode("The old fox and the moon. " * 4)
        failures = []

        def run():
            try:
                for n in range(1, len(whole), 3):
                    self.session.sync(whole[:n])
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=run) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_interrupt(self):
        ids, seen = self.tokenizer.encode(PROMPT), []

        def interrupt(token, piece, logits):
            seen.append(token)
            if len(seen) == 3:
                os.kill(os.getpid(), signal.SIGINT)

        before = signal.getsignal(signal.SIGINT)
        with self.assertRaises(KeyboardInterrupt):
            for _ in trit.Generator(self.session, self.tokenizer, ids, max_tokens=30,
                                    on_token=interrupt):
                pass
        self.assertEqual(len(seen), 3)
        self.assertEqual(signal.getsignal(signal.SIGINT), before)
        self.assertTrue(self.text(self.session, max_tokens=3))

    def test_sampler(self):
        n = self.tokenizer.n_vocab
        texts = {self.text(self.session, max_tokens=20, sampler=trit.Sampler(n, temp=1, seed=5))
                 for _ in range(2)}
        self.assertEqual(len(texts), 1)
        forced = trit.Sampler(n, logit_bias={7: 1000.0})
        ids = []
        self.text(self.session, max_tokens=2, sampler=forced,
                  on_token=lambda token, piece, logits: ids.append(token))
        self.assertEqual(ids, [7, 7])

    def test_engine(self):
        engine = trit.Engine(self.model, n_ctx=64, n_threads=2)
        a, b = trit.Session(engine), trit.Session(engine)
        ids = self.tokenizer.encode("Once upon a time there was a fox")
        failures = engine.eval([(a, ids), (b, [1 << 30])])
        self.assertIsNone(failures[0])
        self.assertEqual(failures[1].status, "TRIT_E_ARGUMENT")
        self.session.eval(ids)
        self.assertEqual(a.logits[:100], self.session.logits[:100])
        fork = a.fork(2)
        self.assertEqual(fork.tokens, ids[:2])
        del a, b, engine
        gc.collect()
        fork.sync(ids)
        self.assertEqual(fork.logits[:100], self.session.logits[:100])

    def test_save_and_load(self):
        self.session.eval(self.tokenizer.encode(PROMPT))
        with tempfile.NamedTemporaryFile() as file:
            file.write(self.session.save())
            file.flush()
            other = trit.Session(self.model, n_ctx=128, n_threads=1)
            other.load(file.name)
        self.assertEqual(other.tokens, self.session.tokens)

    def test_two_threads(self):
        expected, texts = self.text(self.session, max_tokens=20), [None, None]

        def run(i):
            session = trit.Session(self.model, n_ctx=128, n_threads=1)
            texts[i] = self.text(session, max_tokens=20)

        threads = [threading.Thread(target=run, args=(i,)) for i in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(texts, [expected, expected])

    def test_chat(self):
        chat = trit.Chat(self.file, self.tokenizer, "human")
        self.assertIn("Hello", chat.render([("user", "Hello")]))
        self.assertTrue(chat.encode([("system", "Be short."), ("user", "Hello")]))
        with self.assertRaises(ValueError):
            chat.render([("robot", "Hello")])


class LlamaCalls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.llm = open_llama()
        cls.greedy = cls.llm(PROMPT, max_tokens=20, temperature=0)["choices"][0]["text"]

    def test_completion(self):
        answer = self.llm(PROMPT, max_tokens=20, temperature=0, echo=True)
        self.assertEqual(answer["object"], "text_completion")
        self.assertTrue(answer["id"].startswith("cmpl-"))
        choice = answer["choices"][0]
        self.assertEqual(choice["text"], PROMPT + self.greedy)
        self.assertEqual((choice["index"], choice["logprobs"], choice["finish_reason"]),
                         (0, None, "length"))
        n = answer["usage"]["prompt_tokens"]
        self.assertEqual(answer["usage"], {"prompt_tokens": n, "completion_tokens": 20,
                                           "total_tokens": n + 20})
        self.assertEqual(self.llm(PROMPT)["usage"]["completion_tokens"], 16)

    def test_stream(self):
        chunks = list(self.llm(PROMPT, max_tokens=20, temperature=0, stream=True))
        self.assertEqual("".join(c["choices"][0]["text"] for c in chunks), self.greedy)
        self.assertEqual([c["choices"][0]["finish_reason"] for c in chunks[-2:]], [None, "length"])
        self.assertNotIn("usage", chunks[-1])
        self.assertEqual(len({c["id"] for c in chunks}), 1)

    def test_prompts_and_stops(self):
        ids = self.llm.tokenize(PROMPT.encode())
        self.assertEqual(self.llm(ids, max_tokens=20, temperature=0)["choices"][0]["text"],
                         self.greedy)
        stop = self.greedy[8:12]
        for given in (stop, [stop, "xyz"]):
            choice = self.llm(PROMPT, max_tokens=20, temperature=0, stop=given)["choices"][0]
            self.assertEqual(choice["text"], self.greedy[:self.greedy.index(stop)])
            self.assertEqual(choice["finish_reason"], "stop")

    def test_logprobs(self):
        choice = self.llm(PROMPT, max_tokens=5, temperature=0, logprobs=3)["choices"][0]
        own = choice["logprobs"]
        self.assertEqual("".join(own["tokens"]), choice["text"])
        self.assertEqual(own["text_offset"][:2], [len(PROMPT), len(PROMPT + own["tokens"][0])])
        for token, value, top in zip(own["tokens"], own["token_logprobs"], own["top_logprobs"]):
            self.assertEqual(len(top), 3)
            self.assertAlmostEqual(top[token], value, places=6)
            self.assertEqual(max(top, key=top.get), token)

    def test_logprobs_of_the_prompt(self):
        text = PROMPT + self.greedy
        for _ in range(2):  # what is evaluated already makes no difference
            answer = self.llm(text, max_tokens=1, temperature=0, logprobs=1, echo=True)
            choice, own = answer["choices"][0], answer["choices"][0]["logprobs"]
            self.assertEqual("".join(own["tokens"]), choice["text"])
            self.assertEqual((own["text_offset"][0], own["token_logprobs"][0],
                              own["top_logprobs"][0]), (0, None, None))
            n = len(self.llm.tokenize(PROMPT.encode()))
            for token, top in list(zip(own["tokens"], own["top_logprobs"]))[n:]:
                self.assertEqual(list(top), [token])  # the text is the most likely one

    def test_sampling_values(self):
        def text(**values):
            return self.llm(PROMPT, max_tokens=20, **values)["choices"][0]["text"]

        self.assertEqual(text(top_p=0, temperature=2.0), self.greedy)
        self.assertEqual(text(top_k=1, temperature=2.0), self.greedy)
        self.assertNotEqual(text(seed=-1, temperature=2.0), text(seed=-1, temperature=2.0))
        metadata = self.llm._file.metadata
        metadata["general.sampling.top_k"] = 1
        try:
            self.assertEqual(text(temperature=2.0), self.greedy)
            metadata["general.sampling.top_k"] = "many"  # is ignored
            self.assertTrue(text())
        finally:
            del metadata["general.sampling.top_k"]

    def test_seeds(self):
        a = [self.llm(PROMPT, max_tokens=12, seed=s)["choices"][0]["text"] for s in (3, 3, 4)]
        self.assertEqual(a[0], a[1])
        self.assertNotEqual(a[0], a[2])
        texts = []
        for _ in range(2):
            self.llm.set_seed(9)
            texts.append(self.llm(PROMPT, max_tokens=12)["choices"][0]["text"])
        self.assertEqual(texts[0], texts[1])

    def test_chat(self):
        messages = [{"role": "system", "content": "Tell stories."},
                    {"role": "user", "content": [{"type": "text", "text": "A story"}]}]
        answer = self.llm.create_chat_completion(messages, max_tokens=8, seed=1, logprobs=True,
                                                 top_logprobs=2)
        choice = answer["choices"][0]
        self.assertEqual(answer["object"], "chat.completion")
        self.assertEqual(choice["message"]["role"], "assistant")
        self.assertEqual(len(choice["logprobs"]["content"][0]["top_logprobs"]), 2)
        chunks = list(self.llm.create_chat_completion(messages, max_tokens=8, seed=1, stream=True))
        self.assertEqual(chunks[0]["choices"][0]["delta"], {"role": "assistant"})
        self.assertEqual(chunks[-1]["choices"][0]["delta"], {})
        self.assertEqual(chunks[-1]["choices"][0]["finish_reason"], "length")
        self.assertEqual("".join(c["choices"][0]["delta"].get("content", "") for c in chunks),
                         choice["message"]["content"])

    def test_tokens_and_sizes(self):
        ids = self.llm.tokenize(b"Hello", add_bos=False)
        self.assertEqual(self.llm.detokenize(ids), b"Hello")
        self.assertEqual(self.llm.n_ctx(), 256)
        self.assertEqual(self.llm.token_bos(), self.llm.n_vocab() - 1)
        self.assertEqual(self.llm.n_embd(), self.llm._model.info.n_embd)
        self.assertEqual(self.llm.tokenizer().decode(ids), "Hello")
        self.assertEqual(self.llm.metadata["general.name"], "fables")
        self.assertEqual(self.llm.detokenize([self.llm.token_nl()]), b"\n")
        self.assertIsInstance(self.llm.token_eos(), int)

    def test_too_long(self):
        with self.assertRaisesRegex(ValueError, r"Requested tokens \(300\) exceed context window "
                                                r"of 256.*n_ctx"):
            self.llm([1] * 300)

    def test_unsupported(self):
        for arguments in ({"grammar": object()}, {"suffix": "x"}, {"typical_p": 0.5},
                          {"mirostat_mode": 2}):
            with self.assertRaises(NotImplementedError):
                self.llm(PROMPT, **arguments)
        with self.assertRaises(TypeError):
            self.llm(PROMPT, max_token=5)
        with self.assertRaises(NotImplementedError):
            open_llama(lora_path="adapter.gguf")
        with self.assertRaises(ValueError):
            open_llama(type_k=8, type_v=1)
        with self.assertRaises(NotImplementedError):
            self.llm.create_chat_completion([], response_format={"type": "json_object"})
        with self.assertRaises(NotImplementedError):
            self.llm.embed("x")
        with self.assertRaises(ValueError):
            trit.Llama(model_path="no such file")

    def test_eval_sample_generate(self):
        ids = self.llm.tokenize(PROMPT.encode())
        made = []
        for token in self.llm.generate(ids, temp=0):
            made.append(token)
            if len(made) == 20:
                break
        self.assertEqual(self.llm.detokenize(made).decode(), self.greedy)
        self.llm.reset()
        self.llm.eval(ids)
        self.assertEqual(self.llm.sample(temp=0), made[0])
        state = self.llm.save_state()
        self.llm.eval([5, 6])
        self.llm.load_state(state)
        self.assertEqual(self.llm._session.tokens, ids)

    def test_cancel(self):
        llm = open_llama()
        chunks = llm(PROMPT, max_tokens=200, stream=True, temperature=0)
        next(chunks)
        thread = threading.Thread(target=llm.cancel)
        thread.start()
        thread.join()
        self.assertEqual(list(chunks)[-1]["choices"][0]["finish_reason"], "cancelled")
        self.assertEqual(llm(PROMPT, max_tokens=3)["usage"]["completion_tokens"], 3)

    def test_close_during_a_call(self):
        llm = open_llama()

        def run():
            try:
                llm(PROMPT, max_tokens=200)
            except ValueError:  # it noticed
                pass

        thread = threading.Thread(target=run)
        thread.start()
        llm.close()
        thread.join()
        with self.assertRaisesRegex(ValueError, "closed"):
            llm(PROMPT)

    def test_one_at_a_time(self):
        llm = open_llama()
        chunks = llm(PROMPT, max_tokens=50, stream=True)
        next(chunks)
        with self.assertRaisesRegex(RuntimeError, "unfinished"):
            llm(PROMPT)
        chunks.close()
        texts = []
        threads = [threading.Thread(target=lambda: texts.append(
            llm(PROMPT, max_tokens=20, temperature=0)["choices"][0]["text"])) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(texts, [self.greedy] * 3)

    def test_from_pretrained(self):
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "models--a--fables" / "snapshots" / "0123"
            place.mkdir(parents=True)
            (place / "fables-i2_s.gguf").symlink_to(MODEL)
            llm = trit.Llama.from_pretrained(repo_id="a/fables", filename="*i2_s.gguf",
                                             cache_dir=folder, n_ctx=64)
            self.assertEqual(llm.n_ctx(), 64)
            old = place.parent / "0099" / "fables-i2_s.gguf"
            old.parent.mkdir()
            old.symlink_to(MODEL)
            (place.parents[1] / "refs").mkdir()
            (place.parents[1] / "refs" / "main").write_text("0123")
            llm = trit.Llama.from_pretrained("a/fables", "fables*", cache_dir=folder, n_ctx=64)
            self.assertEqual(llm.model_path, str(place / "fables-i2_s.gguf"))
            (place / "other-i2_s.gguf").symlink_to(MODEL)
            with self.assertRaisesRegex(ValueError, "fables-i2_s.gguf, other-i2_s.gguf"):
                trit.Llama.from_pretrained("a/fables", "*i2_s.gguf", cache_dir=folder)
            with self.assertRaisesRegex(ValueError, "no file matches"):
                trit.Llama.from_pretrained("a/b", "*.no-such", cache_dir=folder)
            where = os.getcwd()
            os.chdir(ROOT)
            try:  # a model of another name is not the one that is meant
                with self.assertRaisesRegex(ValueError, "no file matches"):
                    trit.Llama.from_pretrained("a/b", "*.gguf", cache_dir=folder)
                self.assertTrue(trit.Llama.from_pretrained("a/b", "fables.gguf",
                                                           cache_dir=folder, n_ctx=64))
            finally:
                os.chdir(where)


class Wheel(unittest.TestCase):
    def test_wheel(self):
        with tempfile.TemporaryDirectory() as folder:
            made = subprocess.run([str(ROOT / "scripts/make-wheel.sh"), folder],
                                  capture_output=True, text=True)
            self.assertEqual(made.returncode, 0, made.stderr)
            venv = Path(folder) / "venv"
            if subprocess.run([sys.executable, "-m", "venv", str(venv)],
                              capture_output=True).returncode:
                self.skipTest("this Python cannot make a venv with pip")
            environment = {k: v for k, v in os.environ.items()
                           if k not in ("TRIT_LIBRARY", "PYTHONPATH")}
            subprocess.run([str(venv / "bin/pip"), "install", "-q", "--no-index",
                            "--disable-pip-version-check", made.stdout.strip()], check=True,
                           env=environment)
            said = subprocess.run(
                [str(venv / "bin/python"), "-c", "import trit, sys; print(trit.__file__); "
                 f"print(trit.Llama('{MODEL}')('{PROMPT}', temperature=0)['choices'][0]['text'])"],
                capture_output=True, text=True, env=environment, cwd=folder)
            self.assertEqual(said.returncode, 0, said.stderr)
            self.assertIn("venv", said.stdout.split("\n")[0])
            self.assertTrue(said.stdout.split("\n")[1])


if __name__ == "__main__":
    unittest.main()
