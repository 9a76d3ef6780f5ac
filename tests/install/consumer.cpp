/* consumer.cpp - the same in C++. */
#include <iostream>
#include <trit.hpp>

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    try {
        const trit::File file(argv[1]);
        const trit::Tokenizer tokenizer(file);
        const trit::Model model(file);
        trit::Session session(model);
        trit::GenerateOptions options;
        options.max_tokens = 40;
        for (std::string_view piece : trit::generate(session, tokenizer, argv[2], options))
            std::cout << piece;
    } catch (const trit::Error &error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
