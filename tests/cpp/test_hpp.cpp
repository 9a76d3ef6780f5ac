/* test_hpp.cpp - trit.hpp: handles, exceptions, batches, and the range over text. */
#include "trit.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                   \
            std::exit(1);                                                                          \
        }                                                                                          \
    } while (0)

static std::string path;
static const char prompt[] = "Once upon a time";

static trit::Session open_session(trit_session_options options = {})
{
    /* file and model live on in the session */
    const trit::File file(path);
    const trit::Model model(file);
    options.n_threads = 1;
    options.n_ctx = options.n_ctx ? options.n_ctx : 128;
    return trit::Session(model, options);
}

/* What trit_generate() says. */
static std::string expected(const trit::Tokenizer &tokenizer, std::int32_t max_tokens)
{
    trit::Session session = open_session();
    const trit::Ids ids = tokenizer.encode(prompt);
    trit_generate_options options = {};
    trit_generate_result result;
    trit_error error;
    std::string text;

    options.size = sizeof options;
    options.max_tokens = max_tokens;
    options.on_text = [](void *user, const char *bytes, std::size_t len) {
        static_cast<std::string *>(user)->append(bytes, len);
        return true;
    };
    options.user = &text;
    CHECK(!trit_generate(session.get(), tokenizer.get(), ids.data(),
                         static_cast<std::int32_t>(ids.size()), &options, &result, &error));
    return text;
}

static void test_errors()
{
    try {
        const trit::File file("no such file");
        CHECK(false);
    } catch (const trit::Error &error) {
        CHECK(error.status() == TRIT_E_FILE);
        CHECK(std::strstr(error.what(), "no such file"));
    }
    trit::Session session = open_session();
    try {
        session.eval({1, 2, 1 << 30});
        CHECK(false);
    } catch (const trit::Error &error) {
        CHECK(error.status() == TRIT_E_ARGUMENT);
    }
}

static void test_text(const trit::Tokenizer &tokenizer)
{
    const std::string all = expected(tokenizer, 30);
    trit::GenerateOptions options;
    std::string text;
    options.max_tokens = 30;

    trit::Session session = open_session();
    trit::Text range = trit::generate(session, tokenizer, prompt, options);
    for (std::string_view piece : range) {
        CHECK(!piece.empty());
        text += piece;
    }
    CHECK(text == all);
    CHECK(range.result().n_new == 30 && range.result().finish == TRIT_FINISH_LENGTH);
    CHECK(range.begin() == range.end()); /* read once */

    /* A loop may end early; what it read is the beginning. A text can be moved meanwhile. */
    trit::Text moved = trit::generate(session, tokenizer, prompt, options);
    text.clear();
    for (std::string_view piece : moved) {
        text += piece;
        if (text.size() > 20)
            break;
    }
    trit::Text rest = std::move(moved);
    CHECK(all.compare(0, text.size(), text) == 0);
    CHECK(text + rest.str() == all);

    options.stop = {all.substr(10, 5)};
    CHECK(trit::generate(session, tokenizer, prompt, options).str() ==
          all.substr(0, all.find(options.stop[0])));

    trit_sampler_options suggested = trit::Sampler::suggest(trit::File(path));
    suggested.seed = 5;
    trit::Sampler one(tokenizer.n_vocab(), suggested), two(tokenizer.n_vocab(), suggested);
    options.stop.clear();
    options.sampler = &one;
    text = trit::generate(session, tokenizer, tokenizer.encode(prompt), options).str();
    options.sampler = &two;
    CHECK(text == trit::generate(session, tokenizer, prompt, options).str());
}

/* A text keeps its session and its sampler, and may be moved between two pieces. */
static void test_lifetime(const trit::Tokenizer &tokenizer)
{
    const std::string all = expected(tokenizer, 30);
    trit::GenerateOptions options;
    std::vector<trit::Text> texts;
    std::string text;

    options.max_tokens = 30;
    {
        trit::Session session = open_session();
        trit::Sampler sampler(tokenizer.n_vocab());
        options.sampler = &sampler;
        texts.push_back(trit::generate(session, tokenizer, prompt, options));
    }
    trit::Text::iterator at = texts[0].begin();
    const trit::Text moved = std::move(texts[0]);
    for (texts.clear(); at != trit::Text::iterator(); ++at)
        text += *at;
    CHECK(text == all && moved.result().n_new == 30);
}

struct Thrown {
};

static void test_callbacks(const trit::Tokenizer &tokenizer)
{
    trit::Session session = open_session();
    trit::GenerateOptions options;
    trit::Ids ids;
    int n = 0;

    options.max_tokens = 8;
    options.on_token = [&](std::int32_t id, std::string_view, trit::View<float> logits) {
        CHECK(logits.size() == static_cast<std::size_t>(tokenizer.n_vocab()));
        CHECK(trit_argmax(logits.data(), tokenizer.n_vocab()) == id);
        ids.push_back(id);
        return true;
    };
    const std::string said = trit::generate(session, tokenizer, prompt, options).str();
    CHECK(ids.size() == 8 && said == tokenizer.decode(ids));

    options.on_token = [&](std::int32_t, std::string_view, trit::View<float>) -> bool {
        if (++n == 3)
            throw Thrown();
        return true;
    };
    trit::Text text = trit::generate(session, tokenizer, prompt, options);
    try {
        text.str();
        CHECK(false);
    } catch (const Thrown &) {
        CHECK(text.result().finish == TRIT_FINISH_INTERRUPT);
    }
    CHECK(text.str().empty());
}

static void test_engine(const trit::Tokenizer &tokenizer)
{
    const trit::File file(path);
    const trit::Model model(file);
    trit_engine_options options = {};
    options.n_ctx = 128;
    options.n_threads = 2;
    trit::Engine engine(model, options);
    trit::Session a(engine), b(engine), alone = open_session();
    const trit::Ids ids = tokenizer.encode("Once upon a time there was a fox");
    const auto n = static_cast<std::int32_t>(ids.size());

    trit_step first = {}, second = {};
    first.session = a.get();
    first.tokens = ids.data();
    first.n = n;
    second = first;
    second.session = b.get();
    second.n = 2;
    std::vector<trit_step> steps = {first, second};
    engine.eval(steps);
    alone.eval(ids);
    CHECK(std::memcmp(a.logits().data(), alone.logits().data(),
                      a.logits().size() * sizeof(float)) == 0);

    trit::Session fork = a.fork(2);
    CHECK(fork.logits().empty() && fork.tokens().size() == 2);
    fork.sync(ids);
    CHECK(std::memcmp(fork.logits().data(), alone.logits().data(),
                      a.logits().size() * sizeof(float)) == 0);
    steps[1].n = 1 << 20;
    try {
        engine.eval(steps);
        CHECK(false);
    } catch (const trit::Error &) {
        CHECK(steps[0].error.code == TRIT_OK && steps[1].error.code == TRIT_E_ARGUMENT);
    }
    a.rewind(1);
    CHECK(a.tokens().size() == 1 && a.tokens()[0] == ids[0]);
    trit::Session moved = std::move(a);
    CHECK(moved.n_ctx() == 128 && !a.get());
}

static void test_chat(const trit::Tokenizer &tokenizer)
{
    const trit::Chat chat(trit::File(path), tokenizer, "human");
    const std::vector<trit::Message> messages = {{TRIT_ROLE_USER, "Hello"}};
    CHECK(chat.render(messages).find("Hello") != std::string::npos);
    CHECK(!chat.encode(tokenizer, messages).empty());
    CHECK(!chat.stop().empty());
    try {
        const trit::Chat unknown(trit::File(path), tokenizer, "no such template");
        CHECK(false);
    } catch (const trit::Error &error) {
        CHECK(error.status() == TRIT_E_ARGUMENT);
    }
}

/* Two sessions in two threads. */
static void test_threads(const trit::Tokenizer &tokenizer)
{
    const std::string all = expected(tokenizer, 10);
    std::string texts[2];
    std::vector<std::thread> threads;

    for (std::string &text : texts)
        threads.emplace_back([&] {
            trit::Session session = open_session();
            trit::GenerateOptions options;
            options.max_tokens = 10;
            text = trit::generate(session, tokenizer, prompt, options).str();
        });
    for (std::thread &thread : threads)
        thread.join();
    CHECK(texts[0] == all && texts[1] == all);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    path = argv[1];
    const trit::Tokenizer tokenizer = trit::Tokenizer(trit::File(path));
    test_errors();
    test_text(tokenizer);
    test_lifetime(tokenizer);
    test_callbacks(tokenizer);
    test_engine(tokenizer);
    test_chat(tokenizer);
    test_threads(tokenizer);
    std::puts("test_hpp: passed");
}
