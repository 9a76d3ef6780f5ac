/* trit.hpp - trit.h for C++17: handles, exceptions, and a range over generated text.
 *
 *   #include <iostream>
 *   #include "trit.hpp"
 *
 *   int main()
 *   {
 *       const trit::File file("model.gguf");
 *       const trit::Tokenizer tokenizer(file);
 *       const trit::Model model(file);
 *       trit::Session session(model);
 *       for (std::string_view piece : trit::generate(session, tokenizer, "Once upon a time"))
 *           std::cout << piece << std::flush;
 *   }
 *
 * A handle owns an object of trit.h, and is moved, not copied. It keeps what its object needs: a
 * model its file, a session its engine. get() is the object, for the functions that have no method.
 * Functions that fail throw trit::Error. The rules of trit.h for threads apply. */
#ifndef TRIT_HPP
#define TRIT_HPP

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trit.h"

namespace trit
{

/** A function of trit.h has failed. */
class Error : public std::runtime_error
{
  public:
    explicit Error(const trit_error &error) : std::runtime_error(error.text), status_(error.code) {}
    trit_status status() const noexcept { return status_; }

  private:
    trit_status status_;
};

/** Elements that belong to another object. */
template <class T> class View
{
  public:
    View(const T *data, std::size_t size) noexcept : data_(data), size_(size) {}
    const T *data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    const T *begin() const noexcept { return data_; }
    const T *end() const noexcept { return data_ + size_; }
    const T &operator[](std::size_t i) const { return data_[i]; }

  private:
    const T *data_;
    std::size_t size_;
};

using Ids = std::vector<std::int32_t>;

namespace detail
{

inline void check(trit_status status, const trit_error &error)
{
    if (status != TRIT_OK)
        throw Error(error);
}

/** Options with their size set. */
template <class T> T sized(T options)
{
    options.size = sizeof options;
    return options;
}

inline std::string_view view(trit_string s)
{
    return {s.bytes, s.len};
}

/** Ids that the library hands out. */
inline Ids take_ids(std::int32_t *ids, std::int32_t n)
{
    const std::unique_ptr<std::int32_t, void (*)(void *)> owner(ids, trit_free);
    return Ids(ids, ids + n);
}

inline std::int32_t count(std::size_t n)
{
    if (n > INT32_MAX)
        throw std::length_error("trit: too many items");
    return static_cast<std::int32_t>(n);
}

} // namespace detail

/** An object of trit.h with its close function, and what must live as long. */
template <class T, void (*close)(T **)> class Handle
{
  public:
    Handle(Handle &&) noexcept = default;
    Handle &operator=(Handle &&) noexcept = default;
    Handle(const Handle &) = delete;
    Handle &operator=(const Handle &) = delete;
    T *get() const noexcept { return object_.get(); }
    const std::shared_ptr<T> &owner() const noexcept { return object_; }

  protected:
    Handle() = default;
    ~Handle() = default;
    void own(T *object, std::shared_ptr<void> needs = nullptr)
    {
        object_ = std::shared_ptr<T>(object, [needs](T *p) { close(&p); });
    }

  private:
    std::shared_ptr<T> object_;
};

class File : public Handle<trit_file, trit_file_close>
{
  public:
    explicit File(const std::string &path, trit_file_options options = {})
    {
        trit_file *file = nullptr;
        trit_error error;
        options = detail::sized(options);
        detail::check(trit_file_open(&file, path.c_str(), &options, &error), error);
        own(file);
    }
};

class Model : public Handle<trit_model, trit_model_close>
{
  public:
    explicit Model(const File &file)
    {
        trit_model *model = nullptr;
        trit_error error;
        detail::check(trit_model_open(&model, file.get(), &error), error);
        own(model, file.owner());
    }
    std::int32_t n_vocab() const { return trit_model_vocab_size(get()); }
};

class Tokenizer : public Handle<trit_tokenizer, trit_tokenizer_close>
{
  public:
    explicit Tokenizer(const File &file)
    {
        trit_tokenizer *tokenizer = nullptr;
        trit_error error;
        detail::check(trit_tokenizer_open(&tokenizer, file.get(), &error), error);
        own(tokenizer);
    }

    /** flags: TRIT_ENCODE_... */
    Ids encode(std::string_view text, unsigned flags = TRIT_ENCODE_BOS) const
    {
        std::int32_t *ids = nullptr, n = 0;
        trit_error error;
        detail::check(
            trit_tokenizer_encode(get(), text.data(), text.size(), flags, &ids, &n, &error), error);
        return detail::take_ids(ids, n);
    }

    /** Valid as long as the tokenizer. */
    std::string_view piece(std::int32_t id, bool special = false) const
    {
        return detail::view(trit_tokenizer_piece(get(), id, special));
    }

    /** The bytes of all tokens. */
    std::string decode(const Ids &ids, bool special = false) const
    {
        std::string text;
        for (const std::int32_t id : ids)
            text += piece(id, special);
        return text;
    }

    std::int32_t n_vocab() const { return trit_tokenizer_n_vocab(get()); }
    std::int32_t bos() const { return trit_tokenizer_bos(get()); }
    bool is_end(std::int32_t id) const { return trit_tokenizer_is_end(get(), id); }
};

struct Message {
    trit_role role;
    std::string text;
};

/** The chat template of a model. */
class Chat
{
  public:
    /** name: one of the templates, or the text of one; "": the file's own, or the one that fits it.
     *  The file must outlive the Chat. */
    Chat(const File &file, const Tokenizer &tokenizer, const std::string &name = "")
        : name_(std::make_shared<const std::string>(name))
    {
        trit_error error;
        detail::check(trit_chat_choose(&chat_, file.get(), tokenizer.get(),
                                       name.empty() ? nullptr : name_->c_str(), &error),
                      error);
    }

    /** n_keep: receives how many ids a shift of the context should keep. */
    Ids encode(const Tokenizer &tokenizer, const std::vector<Message> &messages,
               std::int32_t *n_keep = nullptr) const
    {
        const std::vector<trit_message> list = borrow(messages);
        std::int32_t *ids = nullptr, n = 0;
        trit_error error;
        detail::check(trit_chat_encode(&chat_, tokenizer.get(), list.data(),
                                       detail::count(list.size()), &ids, &n, n_keep, &error),
                      error);
        return detail::take_ids(ids, n);
    }

    std::string render(const std::vector<Message> &messages) const
    {
        const std::vector<trit_message> list = borrow(messages);
        char *text = nullptr;
        std::size_t len = 0;
        trit_error error;
        detail::check(
            trit_chat_render(&chat_, list.data(), detail::count(list.size()), &text, &len, &error),
            error);
        const std::unique_ptr<char, void (*)(void *)> owner(text, trit_free);
        return std::string(text, len);
    }

    /** Texts that end an answer. */
    std::vector<std::string> stop() const { return {chat_.stop, chat_.stop + chat_.n_stop}; }
    const trit_chat &get() const noexcept { return chat_; }

  private:
    static std::vector<trit_message> borrow(const std::vector<Message> &messages)
    {
        std::vector<trit_message> list;
        for (const Message &m : messages)
            list.push_back({m.role, {m.text.data(), m.text.size()}});
        return list;
    }

    std::shared_ptr<const std::string> name_; // chat_ may point into it
    trit_chat chat_ = {};
};

class Engine : public Handle<trit_engine, trit_engine_close>
{
  public:
    explicit Engine(const Model &model, trit_engine_options options = {})
    {
        trit_engine *engine = nullptr;
        trit_error error;
        options = detail::sized(options);
        detail::check(trit_engine_open(&engine, model.get(), &options, &error), error);
        own(engine, model.owner());
    }

    /** Throws the reason of the first step that failed. The others have their results; each has its
     *  status in its error. */
    void eval(std::vector<trit_step> &steps)
    {
        trit_error error;
        detail::check(trit_engine_eval(get(), steps.data(), detail::count(steps.size()), &error),
                      error);
    }
};

class Session : public Handle<trit_session, trit_session_close>
{
  public:
    /** With an engine of its own. */
    explicit Session(const Model &model, trit_session_options options = {}) : needs_(model.owner())
    {
        trit_session *session = nullptr;
        trit_error error;
        options = detail::sized(options);
        detail::check(trit_session_open(&session, model.get(), &options, &error), error);
        own(session, needs_);
    }

    explicit Session(const Engine &engine, trit_session_options options = {})
        : needs_(engine.owner())
    {
        trit_session *session = nullptr;
        trit_error error;
        options = detail::sized(options);
        detail::check(trit_session_open_on(&session, engine.get(), &options, &error), error);
        own(session, needs_);
    }

    /** A session with a copy of the first n_tokens tokens. */
    Session fork(std::int32_t n_tokens) const
    {
        trit_session *session = nullptr;
        trit_error error;
        detail::check(trit_session_fork(&session, get(), n_tokens, &error), error);
        return Session(session, needs_);
    }

    void eval(const Ids &ids)
    {
        trit_error error;
        detail::check(trit_session_eval(get(), ids.data(), detail::count(ids.size()), nullptr,
                                        nullptr, &error),
                      error);
    }

    void sync(const Ids &ids)
    {
        trit_error error;
        detail::check(trit_session_sync(get(), ids.data(), detail::count(ids.size()), &error),
                      error);
    }

    void rewind(std::int32_t n) { trit_session_rewind(get(), n); }

    /** Valid until the next call; empty if there are none. */
    View<float> logits() const
    {
        const float *logits = trit_session_logits(get());
        return {logits, logits ? static_cast<std::size_t>(trit_session_n_vocab(get())) : 0};
    }

    View<std::int32_t> tokens() const
    {
        return {trit_session_tokens(get()), static_cast<std::size_t>(trit_session_n_tokens(get()))};
    }

    std::int32_t n_ctx() const { return trit_session_n_ctx(get()); }

  private:
    Session(trit_session *session, std::shared_ptr<void> needs) : needs_(std::move(needs))
    {
        own(session, needs_);
    }

    std::shared_ptr<void> needs_; /* for forks */
};

class Sampler : public Handle<trit_sampler, trit_sampler_close>
{
  public:
    explicit Sampler(std::int32_t n_vocab, trit_sampler_options options = {})
    {
        trit_sampler *sampler = nullptr;
        trit_error error;
        options = detail::sized(options);
        detail::check(trit_sampler_open(&sampler, n_vocab, &options, &error), error);
        own(sampler);
    }

    static trit_sampler_options suggest(const File &file)
    {
        trit_sampler_options options;
        trit_sampler_suggest(&options, sizeof options, file.get());
        return options;
    }
};

struct GenerateOptions {
    std::int32_t max_tokens = -1;  /**< -1: until an end token or a full context */
    Sampler *sampler = nullptr;    /**< nullptr: the most likely token */
    std::vector<std::string> stop; /**< texts that end it, and are not passed on */
    bool ignore_eos = false;
    trit_on_full on_full = TRIT_ON_FULL_STOP;
    std::int32_t n_keep = 0;
    /** Called for each token; false ends the generation. What it throws ends it, too, and is thrown
     *  by the range. */
    std::function<bool(std::int32_t id, std::string_view piece, View<float> logits)> on_token;
};

/** Text in the making: a range of pieces of whole UTF-8 characters, each valid until the next one.
 *  It evaluates while it is read, once. It keeps its session, tokenizer and sampler; until it is
 *  destroyed, nothing else may change the session's timeline. It may be moved while it is read. */
class Text
{
    struct State;

  public:
    Text(Session &session, const Tokenizer &tokenizer, Ids prompt, GenerateOptions options = {})
        : state_(std::make_unique<State>())
    {
        State &s = *state_;
        trit_generate_options c = {};
        trit_error error;
        s.prompt = std::move(prompt);
        s.options = std::move(options);
        s.session = session.owner();
        s.tokenizer = tokenizer.owner();
        if (s.options.sampler)
            s.sampler = s.options.sampler->owner();
        s.n_vocab = static_cast<std::size_t>(trit_session_n_vocab(session.get()));
        for (const std::string &text : s.options.stop)
            s.stop.push_back(text.c_str());
        c.size = sizeof c;
        c.max_tokens = s.options.max_tokens;
        c.ignore_eos = s.options.ignore_eos;
        c.stop = s.stop.data();
        c.n_stop = detail::count(s.stop.size());
        c.sampler = s.sampler.get();
        c.on_full = s.options.on_full;
        c.n_keep = s.options.n_keep;
        c.on_token = on_token;
        c.on_text = on_text;
        c.user = &s;
        detail::check(trit_generator_open(&s.generator, session.get(), tokenizer.get(),
                                          s.prompt.data(), detail::count(s.prompt.size()), &c,
                                          &error),
                      error);
    }

    class iterator
    {
      public:
        using iterator_category = std::input_iterator_tag;
        using value_type = std::string_view;
        using difference_type = std::ptrdiff_t;
        using pointer = const std::string_view *;
        using reference = std::string_view;

        iterator() = default;
        std::string_view operator*() const { return state_->piece; }
        iterator &operator++()
        {
            if (!next(*state_))
                state_ = nullptr;
            return *this;
        }
        void operator++(int) { ++*this; }
        bool operator==(const iterator &other) const noexcept { return state_ == other.state_; }
        bool operator!=(const iterator &other) const noexcept { return state_ != other.state_; }

      private:
        friend class Text;
        explicit iterator(State *state) : state_(state) { ++*this; }

        State *state_ = nullptr;
    };
    iterator begin() { return iterator(state_.get()); }
    iterator end() { return {}; }

    /** The rest of the text. */
    std::string str()
    {
        std::string text;
        while (next(*state_))
            text += state_->piece;
        return text;
    }

    /** Complete once the range has ended. */
    const trit_generate_result &result() const { return *trit_generator_result(state_->generator); }

  private:
    struct State {
        State() = default;
        ~State() { trit_generator_close(&generator); }
        State(const State &) = delete;
        State &operator=(const State &) = delete;

        trit_generator *generator = nullptr;
        std::shared_ptr<trit_session> session;
        std::shared_ptr<trit_tokenizer> tokenizer;
        std::shared_ptr<trit_sampler> sampler;
        Ids prompt;
        GenerateOptions options;
        std::vector<const char *> stop;
        std::size_t n_vocab = 0;
        std::string piece;
        std::exception_ptr thrown;
    };

    /* Nothing may be thrown through the frames of C. */
    template <class F> static bool guarded(State &s, F f) noexcept
    {
        try {
            return f();
        } catch (...) {
            s.thrown = std::current_exception();
            return false;
        }
    }

    static bool on_token(void *user, std::int32_t id, trit_string piece, const float *logits)
    {
        State &s = *static_cast<State *>(user);
        return guarded(s, [&] {
            return !s.options.on_token ||
                   s.options.on_token(id, detail::view(piece), {logits, s.n_vocab});
        });
    }

    static bool on_text(void *user, const char *text, std::size_t len)
    {
        State &s = *static_cast<State *>(user);
        return guarded(s, [&] {
            s.piece.append(text, len);
            return true;
        });
    }

    /* The next piece that is not empty. @return whether there is one */
    static bool next(State &s)
    {
        bool more = true;
        trit_error error;

        for (s.piece.clear(); more && s.piece.empty();) {
            const trit_status status = trit_generator_next(s.generator, &more, &error);
            if (s.thrown)
                std::rethrow_exception(std::exchange(s.thrown, nullptr));
            detail::check(status, error);
        }
        return !s.piece.empty();
    }

    std::unique_ptr<State> state_;
};

inline Text generate(Session &session, const Tokenizer &tokenizer, std::string_view prompt,
                     GenerateOptions options = {})
{
    return Text(session, tokenizer, tokenizer.encode(prompt), std::move(options));
}

inline Text generate(Session &session, const Tokenizer &tokenizer, Ids prompt,
                     GenerateOptions options = {})
{
    return Text(session, tokenizer, std::move(prompt), std::move(options));
}

} // namespace trit

#endif
