/* test_tokenizer.c - compares pre-tokenizers and encoding with independent implementations.
 *
 * The expected pieces of each pre-tokenizer are the matches of the published regular expressions in
 * another engine (Python's "regex" module). Both kinds of BPE are computed a second time here,
 * naively by their definition, for small random vocabularies. Ids of real vocabularies come from
 * the folder that TRIT_SHARED names: tokenizer/NAME.gguf, and NAME.jsonl with {"text", "ids"}
 * lines; without it they are skipped. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "gguf.h"
#include "pretokenize.h"
#include "shared.h"
#include "suite.h"
#include "unicode.h"
#include "vocab.h"
#include "trit_tools.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- Classes of characters ------------------------------------------------------------------- */

/* Samples from UnicodeData.txt 15.0, including the ends of ranges and additions of 15.0. */
static void classes(void **state)
{
    static const struct {
        unsigned class;
        uint32_t codes[16];
    } rows[] = {
        {TRIT_CHAR_UPPER, {'A', 'Z', 0xC0, 0xD6, 0xDE, 0x130, 0x1E9E, 0x10400, 0x1D400, 0x1E921}},
        {TRIT_CHAR_TITLE, {0x1C5, 0x1C8, 0x1CB, 0x1F2, 0x1F88, 0x1FBC, 0x1FFC}},
        {TRIT_CHAR_LOWER, {'a', 'z', 0xB5, 0xDF, 0xFF, 0x17F, 0x295, 0x1D00, 0xAB70, 0x1D7CB}},
        {TRIT_CHAR_MODIFIER, {0x2B0, 0x2C1, 0x2EC, 0x374, 0x640, 0x3005, 0x30FC, 0xFF70, 0x1E030}},
        {TRIT_CHAR_LETTER,
         {0xAA, 0xBA, 0x1BB, 0x5D0, 0x4E00, 0x9FFF, 0xAC00, 0xD7A3, 0xFFDC, 0x20000, 0x2A6DF,
          0x31350, 0x323AF, 0x1E4D0, 0x11F04}},
        {TRIT_CHAR_MARK,
         {0x300, 0x36F, 0x488, 0x903, 0x94D, 0xCF3, 0xECE, 0x20E3, 0xFE0F, 0xE01EF}},
        {TRIT_CHAR_NUMBER,
         {'0', '9', 0xB2, 0xB9, 0xBC, 0xBE, 0x661, 0x2160, 0x2460, 0x3007, 0xFF10, 0x1D2C0,
          0x1FBF9}},
        {TRIT_CHAR_PUNCT,
         {'!', '*', ',', '/', ':', '?', '_', '{', '}', 0xA1, 0xA7, 0xBF, 0x2019, 0x3002, 0xFF0C,
          0x11B00}},
        {TRIT_CHAR_SPACE,
         {'\t', '\n', '\v', '\f', '\r', ' ', 0x85, 0xA0, 0x1680, 0x2000, 0x200A, 0x2028, 0x2029,
          0x202F, 0x205F, 0x3000}},
        {TRIT_CHAR_OTHER,
         {0, 8, 0x0E, 0x1C, 0x1F, '$', '+', '<', '^', '`', '|', '~', 0x7F, 0xAD, 0x180E, 0x200B}},
        {TRIT_CHAR_OTHER,
         {0x20AC, 0x2122, 0x2190, 0xD7, 0xF7, 0x378, 0xD800, 0xDFFF, 0xE000, 0xFEFF, 0xFFFD, 0xFFFF,
          0x1F600, 0x323B0, 0x10FFFF, 0x110000}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t j = 0; j < 16 && (j == 0 || rows[i].codes[j]); j++)
            if (trit_char_class(rows[i].codes[j]) != rows[i].class)
                fail_msg("U+%04X has class %#x, not %#x", rows[i].codes[j],
                         trit_char_class(rows[i].codes[j]), rows[i].class);
    assert_int_equal(trit_char_class(UINT32_MAX), TRIT_CHAR_OTHER);
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    bool ignore_merges, add_bos; /* as in llama-vocab.cpp */
} rules[] = {{"gpt-2", false, false},
             {"llama-bpe", true, true},
             {"falcon3", true, false},
             {"qwen2", false, false},
             {"falcon_e", false, false}};
enum { N_RULES = COUNT(rules), FALCON_E = 4 };

static const struct trit_pretokenizer *find_rule(const char *name)
{
    const struct trit_pretokenizer *pre =
        trit_pretokenizer_find((struct trit_string){name, strlen(name)});
    assert_non_null(pre);
    return pre;
}

static struct trit_pieces begin_pieces(const char *name, const char *text, size_t len)
{
    return (struct trit_pieces){.rules = find_rule(name)->rules, .text = text, .len = len};
}

/* wanted: the expected pieces, with a separator between them. */
static void check_pieces(const char *rule, const char *wanted, char separator)
{
    char text[400], got[800];
    size_t len = 0, n = 0;
    struct trit_string piece;

    for (const char *p = wanted; *p; p++)
        if (*p != separator) {
            assert_true(len < sizeof text);
            text[len++] = *p;
        }
    struct trit_pieces walk = begin_pieces(rule, text, len);
    while (trit_next_piece(&walk, &piece)) {
        assert_true(piece.len > 0 && n + piece.len + 2 < sizeof got);
        if (n)
            got[n++] = separator;
        memcpy(got + n, piece.bytes, piece.len);
        n += piece.len;
    }
    got[n] = '\0';
    if (strcmp(got, wanted) != 0)
        fail_msg("%s cuts \"%s\", not \"%s\"", rule, got, wanted);
}

/* The pieces of a text by each rule; NULL: the same as by the previous rule. */
static const char *const cases[][4] = {
    /* gpt-2, llama-bpe (and falcon3), qwen2, falcon_e */
    /* Words and spaces */
    {"Hello| world"},
    {"Hello|,| world|!"},
    {" the| end"},
    {"a| | b"},
    {"a|  | b"},
    {"   "},
    {" "},
    {"a| "},
    {"a|  "},
    {"a|@|b|.|c", "a|@b|.c", NULL, "a|@|b|.|c"},
    {"x|+=|1|;"},
    {"_|a|_", "_a|_", NULL, "_|a|_"},
    {" ...", NULL, NULL, " |..."},
    {" | ...", NULL, NULL, "  |..."},
    {"ok| ...| ok", NULL, NULL, "ok| |...| ok"},
    /* Contractions; U+017F folds to s */
    {"it|'s", NULL, NULL, "it|'|s"},
    {"don|'t| we|'ve| I|'m| you|'ll| he|'d| they|'re", NULL, NULL,
     "don|'|t| we|'|ve| I|'|m| you|'|ll| he|'|d| they|'|re"},
    {"IT|'|S| I|'|M| WE|'|VE| YOU|'|LL| HE|'|D| THEY|'|RE| CAN|'|T",
     "IT|'S| I|'M| WE|'VE| YOU|'LL| HE|'D| THEY|'RE| CAN|'T", NULL,
     "IT|'|S| I|'|M| WE|'|VE| YOU|'|LL| HE|'|D| THEY|'|RE| CAN|'|T"},
    {"It|'|S| rE|'|rE| a|'|Ll", "It|'S| rE|'rE| a|'Ll", NULL, "It|'|S| r|E|'|r|E| a|'|Ll"},
    {"it|'|\u017F| it|'|\u017Fo", "it|'\u017F| it|'\u017F|o", NULL, "it|'|\u017F| it|'|\u017Fo"},
    {"'t|is| '|rest| '|lL| '|l| '|v", NULL, NULL, "'|tis| |'|rest| |'|l|L| |'|l| |'|v"},
    {"'|quote|'| ''|s| '|s", "'quote|'| ''|s| '|s", NULL, "'|quote|'| |''|s| |'|s"},
    {"a| '|s", NULL, NULL, "a| |'|s"},
    {"'s|'s|'s", NULL, NULL, "'|s|'|s|'|s"},
    {"l|\u2019|\u00E9t\u00E9| it|\u2019|s", "l|\u2019\u00E9t\u00E9| it|\u2019s", NULL,
     "l|\u2019|\u00E9t\u00E9| it|\u2019|s"},
    {"'|\u00E9| '|\u0130", "'\u00E9| '|\u0130", NULL, "'|\u00E9| |'|\u0130"},
    {"'|M| '|D|1", "'M| '|D|1", NULL, "'|M| |'|D|1"},
    {"1|'s| 22|'|LL", "1|'s| |22|'LL", "1|'s| |2|2|'LL", "1|'|s| |2|2|'|LL"},
    /* Numbers */
    {"1| 12| 123| 1234| 12345| 123456| 1234567",
     "1| |12| |123| |123|4| |123|45| |123|456| |123|456|7",
     "1| |1|2| |1|2|3| |1|2|3|4| |1|2|3|4|5| |1|2|3|4|5|6| |1|2|3|4|5|6|7"},
    {"1234567", "123|456|7", "1|2|3|4|5|6|7"},
    {"abc|123|def| 4|x|4", "abc|123|def| |4|x|4", "abc|1|2|3|def| |4|x|4"},
    {"3|.|14159| 1|,|000|,|000", "3|.|141|59| |1|,|000|,|000", "3|.|1|4|1|5|9| |1|,|0|0|0|,|0|0|0"},
    {"-|42| +|7", NULL, "-|4|2| +|7", "-|4|2| |+|7"},
    {"\u0661\u0662\u0663\u0664", "\u0661\u0662\u0663|\u0664", "\u0661|\u0662|\u0663|\u0664"},
    {"1\u0665|a|\u00BD\u00B2\u2163\u2460", "1\u0665|a|\u00BD\u00B2\u2163|\u2460",
     "1|\u0665|a|\u00BD|\u00B2|\u2163|\u2460"},
    {" | 12", " | |12", " | |1|2"},
    {"\u2168\u2168\u2168\u2168| \u3007\u3007", "\u2168\u2168\u2168|\u2168| |\u3007\u3007",
     "\u2168|\u2168|\u2168|\u2168| |\u3007|\u3007"},
    {"0|x|1|F| 2|e|10", "0|x|1|F| |2|e|10", "0|x|1|F| |2|e|1|0"},
    /* Other scripts */
    {"na\u00EFve| caf\u00E9|!"},
    {"\u4F60\u597D|\uFF0C|\u4E16\u754C| 1", "\u4F60\u597D|\uFF0C\u4E16\u754C| |1", NULL,
     "\u4F60\u597D|\uFF0C|\u4E16\u754C| |1"},
    {"\u65E5\u672C\u8A9E\u3067\u3059|\u3002|\u30C6\u30B9\u30C8",
     "\u65E5\u672C\u8A9E\u3067\u3059|\u3002\u30C6\u30B9\u30C8", NULL,
     "\u65E5\u672C\u8A9E\u3067\u3059|\u3002|\u30C6\u30B9\u30C8"},
    {"\u041F\u0440\u0438\u0432\u0435\u0442| \u041C\u0418\u0420"},
    {"\u0928\u092E\u0938|\u094D|\u0924|\u0947", "\u0928\u092E\u0938|\u094D\u0924|\u0947", NULL,
     "\u0928\u092E\u0938\u094D\u0924\u0947"},
    {"\u0645\u0631\u062D\u0628\u0627| \u0628\u0643"},
    {"\uD55C\uAD6D\uC5B4| \uBB38\uC7A5"},
    {"cafe|\u0301| e|\u0301|e|\u0301", "cafe|\u0301| e|\u0301e|\u0301", NULL,
     "cafe\u0301| e\u0301e\u0301"},
    {"\u0301|a| \u0301| \u0301\u0301", "\u0301a| \u0301| \u0301\u0301"},
    {"a|\u0301\u0302|b| \u0301|b", NULL, NULL, "a\u0301\u0302b| \u0301b"},
    {"x|\u20E3| 1|\uFE0F\u20E3", "x|\u20E3| |1|\uFE0F\u20E3", NULL, "x\u20E3| |1|\uFE0F\u20E3"},
    /* Letters with and without case */
    {"HelloWorld| fooBar| XMLHttp| iOS", NULL, NULL, "Hello|World| foo|Bar| XMLHttp| i|OS"},
    {"ABC| abc| aB| Ab", NULL, NULL, "ABC| abc| a|B| Ab"},
    {"\u01C5ungla| \u01C5\u01C5| a\u01C5| A\u01C5a", NULL, NULL,
     "\u01C5ungla| \u01C5\u01C5| a|\u01C5| A\u01C5a"},
    {"\u4E2DABC\u6587abc"},
    {"A\u4E2DB\u6587"},
    {"ABC\u6587DEF", NULL, NULL, "ABC\u6587|DEF"},
    {"a\u4E2DA", NULL, NULL, "a\u4E2D|A"},
    {"\u02B0abc| AB\u02B0| A\u02B0B\u02B0c"},
    {"\u00AAA\u00BAB", NULL, NULL, "\u00AAA\u00BA|B"},
    {"\u01BBA\u01BBa"},
    {"A|\u0301|B|\u0301|c|\u0301|D", "A|\u0301B|\u0301c|\u0301D", NULL, "A\u0301B\u0301c\u0301|D"},
    {"\u0393\u03B5\u03B9\u03AC| \u03A3\u039F\u03A6\u0399\u0391"},
    {"\u13A0\u13B1| \uAB70"},
    {"aBcDeF", NULL, NULL, "a|Bc|De|F"},
    {"GPT|4|All"},
    /* Emoji and symbols */
    {"\U0001F600!", NULL, NULL, "\U0001F600|!"},
    {"hi| \U0001F600\U0001F601| ok"},
    {"\U0001F468\u200D\U0001F469\u200D\U0001F467| \u2764\uFE0F"},
    {"\u20AC|5| \u20AC\u20AC| 5|\u20AC", "\u20AC|5| \u20AC\u20AC| |5|\u20AC"},
    {"a|\u20AC|\n|\n|\u20AC/|\n", "a|\u20AC\n\n|\u20AC/\n", NULL, "a|\u20AC\n\n|\u20AC|/|\n"},
    {"\u00A9|a| \u2122| \u2190|x", "\u00A9a| \u2122| \u2190|x"},
    {"a|\u200B|b| \u00AD|x", "a|\u200Bb| \u00AD|x"},
    {"\uE000|x| \U0010FFFD", "\uE000x| \U0010FFFD"},
    /* Punctuation and what may follow it */
    {"!|\n|!!|\r\n|\n|?|\n \n", "!\n|!!\r\n\n|?\n| \n", NULL, "!|\n|!!|\r\n\n|?|\n \n"},
    {"end|.|\n|\n|Next", "end|.\n\n|Next", NULL, "end|.|\n\n|Next"},
    {"(|a|)| [|b|]| {|c|}", "(a|)| [|b|]| {|c|}", NULL, "(|a|)| |[|b|]| |{|c|}"},
    {"a|/|b| //|c| /|\n|/|\n", "a|/b| //|c| /\n|/\n", NULL, "a|/|b| |//|c| |/|\n|/|\n"},
    {"x|\n|/|y", "x|\n|/y", NULL, "x|\n|/|y"},
    {"f|(|x|)=$|y|+<|z|>^~`", "f|(x|)=$|y|+<|z|>^~`", NULL, "f|(|x|)=$|y|+<|z|>^~`"},
    {"$|5| =| 5|$| a|+|b|<|c|>|d", "$|5| =| |5|$| a|+b|<c|>d", NULL,
     "$|5| |=| |5|$| a|+|b|<|c|>|d"},
    {"((|hello|))| (\"|World|\")", NULL, NULL, "((|hello|))| |(\"|World|\")"},
    {" (| a| )", NULL, NULL, " |(| a| |)"},
    {"#!/|bin|/|sh|\n", "#!/|bin|/sh|\n", NULL, "#!/|bin|/|sh|\n"},
    {"a|_|b| __|init|__| ", "a|_b| __|init|__| ", NULL, "a|_|b| |__|init|__| "},
    {"\u00AB|mot|\u00BB| \u2014| \u2026|\n", "\u00ABmot|\u00BB| \u2014| \u2026\n", NULL,
     "\u00AB|mot|\u00BB| |\u2014| |\u2026|\n"},
    {"--| --|x| -| x", NULL, NULL, "--| |--|x| |-| x"},
    {"\"|\n|\"", "\"\n|\"", NULL, "\"|\n|\""},
    {"a|!|b|?|c|.", "a|!b|?c|.", NULL, "a|!|b|?|c|."},
    {"/*|x|*/|\n|//|\r\n", "/*|x|*/\n|//\r\n", NULL, "/*|x|*/|\n|//|\r\n"},
    /* White space */
    {"a|\n|b"},
    {"a|\n|\n|b", "a|\n\n|b"},
    {"a|\n| b"},
    {"a| |\n|b", "a| \n|b"},
    {"a|\n"},
    {"\t|\t|if", "\t|\tif"},
    {"\r\n"},
    {"a|\r|\n|b|\r\n", "a|\r\n|b|\r\n"},
    {" \t| x"},
    {"\n \n| x"},
    {"a| \n \n | b", "a| \n \n| | b"},
    {"  \n"},
    {"\n  ", "\n|  "},
    {"\t|a|\t| b", "\ta|\t| b"},
    {"a|\013|\014|b| \013", "a|\013|\014b| \013"},
    {"a|\u00A0|b| \u00A0| c", "a|\u00A0b| \u00A0| c"},
    {"\u3000|\u4F60| |\u3000|x", "\u3000\u4F60| |\u3000x"},
    {"a|\u2028|\u2029|b|\302\205|c", "a|\u2028|\u2029b|\302\205c"},
    {"\u00A0\n|\u00A0|x", "\u00A0\n|\u00A0x"},
    {"x|  \u00A0\u00A0"},
    {"  | def| f|():|\n       | return| 1|\n", "  | def| f|():\n|       | return| |1|\n", NULL,
     "  | def| f|():|\n|       | return| |1|\n"},
    {"\n\n\n\n| a"},
    {"a| \r| b"},
    {"\u1680|x|\u202F|5|\u205F|,", "\u1680x|\u202F|5|\u205F|,"},
    /* Bytes that are not UTF-8 are symbols, one each */
    {"a|\377|b| \377|c", "a|\377b| \377|c"},
    {"\303"},
    {"\344\275| a"},
    {"a|\200\200|\n", "a|\200\200\n"},
    {"\355\240\200|x"},
    {"\360\237\230| \U0001F600\360"},
    {"A|\300\257|b"},
    {"\364\220\200\200|\n|\n|1", "\364\220\200\200\n\n|1"},
    {"a|\340\201\201|b"},
    {"1| \360\200\201\201"},
    {"a|\340\200\257\340\202\240|x"},
    /* Anything */
    {"0|d|!|\u4E00|\r|'|A|_|S|.|\u00A0|\r|^|l|\n|s|$/'|rs|-$|\r",
     "0|d|!\u4E00|\r|'A|_S|.|\u00A0\r|^l|\n|s|$/'|rs|-$\r", NULL,
     "0|d|!|\u4E00|\r|'|A|_|S|.|\u00A0\r|^|l|\n|s|$/'|rs|-$|\r"},
    {"A\u017FtL\u02B0\u02B0|\u00A0|\r|\u017F|\u00A0|!|\r|L|\n|-| Tv|/|d|_|t\u017FV",
     "A\u017FtL\u02B0\u02B0|\u00A0\r|\u017F|\u00A0|!\r|L|\n|-| Tv|/d|_t\u017FV", NULL,
     "A\u017Ft|L\u02B0\u02B0|\u00A0\r|\u017F|\u00A0|!|\r|L|\n|-| Tv|/|d|_|t\u017F|V"},
    {"-|A|\u0301|mS|\u00A0|\u017F\u02B0M|.|S|-|\u00C9|'|\u017F|\r|\u01C5l|>\u0301_$|\u00AA|0",
     "-A|\u0301mS|\u00A0\u017F\u02B0M|.S|-\u00C9|'\u017F|\r|\u01C5l|>\u0301_$|\u00AA|0", NULL,
     "-|A\u0301m|S|\u00A0\u017F\u02B0|M|.|S|-|\u00C9|'|\u017F|\r|\u01C5l|>|\u0301|_$|\u00AA|0"},
    {"<|\u00A0|<.|Vram\u00E9\u00AArs\u017FV|~>| 1\u00BD|+|v|\u3000|'t",
     "<|\u00A0|<.|Vram\u00E9\u00AArs\u017FV|~>| |1\u00BD|+v|\u3000|'t",
     "<|\u00A0|<.|Vram\u00E9\u00AArs\u017FV|~>| |1|\u00BD|+v|\u3000|'t",
     "<|\u00A0|<.|Vram\u00E9\u00AArs\u017F|V|~>| |1|\u00BD|+|v|\u3000|'|t"},
    {"^/|D|\U0001F600|1|d|>/|\n|\u4F60|'\U0001F600-|\u017Fa| A|01|\u00E9|9|\u3000|>|\u00A0",
     "^/|D|\U0001F600|1|d|>/\n|\u4F60|'\U0001F600-|\u017Fa| A|01|\u00E9|9|\u3000|>|\u00A0",
     "^/|D|\U0001F600|1|d|>/\n|\u4F60|'\U0001F600-|\u017Fa| A|0|1|\u00E9|9|\u3000|>|\u00A0",
     "^/|D|\U0001F600|1|d|>/|\n|\u4F60|'|\U0001F600|-|\u017Fa| A|0|1|\u00E9|9|\u3000|>|\u00A0"},
    {"b|<'|Bse|=|\u00E9\u4F60|'|\r|\u00BD|\u00E9V\u4E00\u017F|\u0301|A|+|v\u00C9|,| \u4F60",
     "b|<'|Bse|=\u00E9\u4F60|'\r|\u00BD|\u00E9V\u4E00\u017F|\u0301A|+v\u00C9|,| \u4F60", NULL,
     "b|<'|Bse|=|\u00E9\u4F60|'|\r|\u00BD|\u00E9|V\u4E00\u017F\u0301|A|+|v|\u00C9|,| \u4F60"},
    {"9|\t|<|9|D\u01C5t|>|\r|l\u00AAvT|\u20AC|r|!!| >|sD|+!-",
     "9|\t|<|9|D\u01C5t|>\r|l\u00AAvT|\u20ACr|!!| >|sD|+!-", NULL,
     "9|\t|<|9|D\u01C5t|>|\r|l\u00AAv|T|\u20ACr|!!| |>|s|D|+!-"},
    {"e| TA|$| -|e\u00C9|/|9|\u0301| ,|LdsmdL\u4F60L| >", NULL, NULL,
     "e| TA|$| |-|e|\u00C9|/|9|\u0301| |,|Ldsmd|L\u4F60|L| |>"},
    {"B|\u00A0|mRv| d|/_.|\u01C5\u017F|0|T\u00E9| ^|\u01C5\u4E00|\u0301\u20AC|\r|<| ",
     "B|\u00A0mRv| d|/_.|\u01C5\u017F|0|T\u00E9| ^|\u01C5\u4E00|\u0301\u20AC\r|<| ", NULL,
     "B|\u00A0m|Rv| d|/_.|\u01C5\u017F|0|T\u00E9| |^|\u01C5\u4E00\u0301|\u20AC\r|<| "},
    {"\u00AA| \u0301|b|-!!!!|S|=|\u02B0|!|\r|M|'|l|+|Dt|1|\u3000|\r|S",
     "\u00AA| \u0301|b|-!!!!|S|=\u02B0|!\r|M|'l|+Dt|1|\u3000\r|S", NULL,
     "\u00AA| \u0301b|-!!!!|S|=|\u02B0|!|\r|M|'|l|+|Dt|1|\u3000\r|S"},
    {" \u017Fd|_|S|.|\u01C5|\t|'| l\u01C5|,|d\u02B0R|9|\u3000|.=|tt| >",
     " \u017Fd|_S|.\u01C5|\t|'| l\u01C5|,d\u02B0R|9|\u3000|.=|tt| >", NULL,
     " \u017Fd|_|S|.|\u01C5|\t|'| l|\u01C5|,|d\u02B0|R|9|\u3000|.=|tt| |>"},
    {"<==|VsdS|\u20AC|1|\u20AC|R|=|B\u00E9D|~|\t|l|~.|d\u00E9|_|\t",
     "<==|VsdS|\u20AC|1|\u20ACR|=B\u00E9D|~|\tl|~.|d\u00E9|_|\t", NULL,
     "<==|Vsd|S|\u20AC|1|\u20ACR|=|B\u00E9|D|~|\tl|~.|d\u00E9|_|\t"},
    {"\U0001F600~|V\u4E00| s\u00E9| R|~.|D|9|\u00AAL|__|\u00AA|^|1|\u02B0L\u01C5b", NULL, NULL,
     "\U0001F600|~|V\u4E00| s\u00E9| R|~.|D|9|\u00AA|L|__|\u00AA|^|1|\u02B0L\u01C5b"},
    {"a|\U0001F600| MbrA|!\u20AC|bLM|~>|9\u00BD|\t|\t|ae|=|RM\u00E9",
     "a|\U0001F600| MbrA|!\u20AC|bLM|~>|9\u00BD|\t|\tae|=RM\u00E9",
     "a|\U0001F600| MbrA|!\u20AC|bLM|~>|9|\u00BD|\t|\tae|=RM\u00E9",
     "a|\U0001F600| Mbr|A|!|\u20ACb|LM|~>|9|\u00BD|\t|\tae|=|RM\u00E9"},
    {"\u3000|9|+|b|\u00BD9|.|sLSL|=|M|1|l|=|\u01C5\u01C5B| =|\u4E00|9|b",
     "\u3000|9|+b|\u00BD9|.sLSL|=M|1|l|=\u01C5\u01C5B| =|\u4E00|9|b",
     "\u3000|9|+b|\u00BD|9|.sLSL|=M|1|l|=\u01C5\u01C5B| =|\u4E00|9|b",
     "\u3000|9|+|b|\u00BD|9|.|s|LSL|=|M|1|l|=|\u01C5\u01C5B| |=|\u4E00|9|b"},
    {"\u4E00sB\u4F60t|,|a\u00C9|\U0001F600|M|=| m|$|a\u02B0|1|sb|\u00BD|!<!\u20AC",
     "\u4E00sB\u4F60t|,a\u00C9|\U0001F600M|=| m|$a\u02B0|1|sb|\u00BD|!<!\u20AC", NULL,
     "\u4E00s|B\u4F60t|,|a|\u00C9|\U0001F600M|=| m|$|a\u02B0|1|sb|\u00BD|!<!|\u20AC"},
};

static void pieces(void **state)
{
    static const char *const columns[] = {"gpt-2", "llama-bpe", "qwen2", "falcon_e"};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *wanted = NULL;
        for (size_t j = 0; j < COUNT(columns); j++) {
            wanted = cases[i][j] ? cases[i][j] : wanted;
            check_pieces(columns[j], wanted, '|');
            if (j == 1)
                check_pieces("falcon3", wanted, '|');
        }
    }
}

/* The symbols that falcon_e splits off in addition to \p{P}, and some that it does not; "@" is
 * between. */
static void cut_symbols(void **state)
{
    static const char *const wanted[] = {
        "a@$+<=>^~|`@b",
        "a@|@b@ @||@ c@ @|@\n",
        "a@`@b@``@ @~~~@\n@|@x@|@y@|@ @1@|@2",
        "\u20AC@|@\u20AC@$@ \u00A3@+@\u00ACa@|@\u00B4",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(wanted); i++)
        check_pieces("falcon_e", wanted[i], '@');
}

/* Bytes with value 0 are characters like any other. */
static void zero_bytes(void **state)
{
    static const char text[] = "a\0b\0\0\n\0 c";
    static const size_t wanted[N_RULES][8] = {
        {1, 1, 1, 2, 1, 1, 2}, {1, 2, 3, 1, 2}, {1, 2, 3, 1, 2}, {1, 2, 3, 1, 2}, {1, 2, 3, 1, 2}};
    (void)state;
    for (size_t i = 0; i < N_RULES; i++) {
        struct trit_pieces walk = begin_pieces(rules[i].name, text, sizeof text - 1);
        struct trit_string piece;
        size_t n = 0;
        for (; trit_next_piece(&walk, &piece); n++)
            assert_int_equal(piece.len, wanted[i][n]);
        assert_int_equal(wanted[i][n], 0);
        assert_false(trit_next_piece(&walk, &piece)); /* and stays at the end */
        walk = begin_pieces(rules[i].name, text, 0);
        assert_false(trit_next_piece(&walk, &piece));
    }
}

static size_t put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    const size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)((0xF0u << (4 - n) & 0xFF) | c);
    return n;
}

static uint32_t random_code(uint64_t *rng)
{
    static const uint32_t common[] = {
        ' ',   ' ',    '\n',   '\r',   '\t',   '\'',   's',     'S',    't',    'l',   'L',  'e',
        'A',   'b',    '0',    '7',    '.',    '/',    '$',     '|',    '~',    0,     '!',  '_',
        0xA0,  0x3000, 0x17F,  0x1C5,  0x2B0,  0x4E2D, 0x4F60,  0x301,  0x903,  0xE9,  0xC9, 0xBD,
        0x661, 0x2167, 0x20AC, 0x200B, 0x3002, 0x2028, 0x1F600, 0xFE0F, 0xFFFD, 0x2581};
    const uint64_t r = fx_random(rng);
    if (r % 8)
        return common[(r >> 8) % COUNT(common)];
    const uint32_t code = (uint32_t)(r >> 8) % (r >> 40 & 1 ? 0x110000 : 0x3000);
    return code >= 0xD800 && code < 0xE000 ? 'x' : code;
}

/* Of characters, of bytes, or of both. */
static size_t random_text(char *out, size_t size, uint64_t *rng)
{
    const size_t most = (size_t)(fx_random(rng) % size);
    const uint64_t kind = fx_random(rng) % 4;
    size_t n = 0;

    while (n + 4 <= most)
        if (kind == 0 || (kind == 1 && fx_random(rng) % 4 == 0))
            out[n++] = (char)fx_random(rng);
        else
            n += put_utf8(out + n, random_code(rng));
    return n;
}

static size_t random_utf8(char *out, size_t size, uint64_t *rng)
{
    const size_t most = (size_t)(fx_random(rng) % size);
    size_t n = 0;
    while (n + 4 <= most)
        n += put_utf8(out + n, random_code(rng));
    return n;
}

/* Tests with random texts print their seed. */
static uint64_t seed(const char *test, uint64_t s)
{
    printf("%s: seed %llu\n", test, (unsigned long long)s);
    return s;
}

static bool is_cut_symbol(const char *text, size_t len, size_t *n)
{
    const uint32_t code = trit_utf8_decode(text, len, n);
    return trit_char_class(code) == TRIT_CHAR_PUNCT ||
           (code > 0 && code < 0x80 && strchr("$+<=>^~|`", (int)code));
}

/* Pieces of falcon_e end where a run of symbols begins or ends, and never inside one. */
static void check_runs(const char *text, size_t len, const bool *ends)
{
    size_t n;
    bool before = is_cut_symbol(text, len, &n);

    for (size_t i = n; i < len; i += n) {
        const bool here = is_cut_symbol(text + i, len - i, &n);
        if (here != before && !ends[i])
            fail_msg("a run of symbols was not split at %zu", i);
        if (here && before && ends[i])
            fail_msg("a run of symbols was cut in two at %zu", i);
        before = here;
    }
}

/* For any text, the joined pieces are the text, none is empty, and none splits a character. */
static void pieces_cover_anything(void **state)
{
    uint64_t rng = seed("pieces_cover_anything", 20240501);
    (void)state;
    for (int round = 0; round < 4000; round++) {
        char text[200];
        const size_t len = random_text(text, sizeof text, &rng);
        for (size_t i = 0; i < N_RULES; i++) {
            struct trit_pieces walk = begin_pieces(rules[i].name, text, len);
            struct trit_string piece;
            bool ends[sizeof text + 1] = {false};
            size_t at = 0, n;
            while (trit_next_piece(&walk, &piece)) {
                assert_true(piece.len > 0 && piece.len <= len - at);
                assert_ptr_equal(piece.bytes, text + at);
                at += piece.len;
                ends[at] = true;
            }
            assert_int_equal(at, len);
            for (size_t j = 0; j < len; j += n) {
                trit_utf8_decode(text + j, len - j, &n);
                for (size_t k = 1; k < n; k++)
                    assert_false(ends[j + k]);
            }
            if (i == FALCON_E && len)
                check_runs(text, len, ends);
        }
    }
}

/* ---- Vocabularies made here ------------------------------------------------------------------ */

enum { MAX_TOKENS = 700, MAX_MERGES = 100, END = -1 };

/* Members from model on are keys of the file; NULL and -1 mean no such key. */
struct vocabulary {
    const char *tokens[MAX_TOKENS];
    int32_t types[MAX_TOKENS];
    float scores[MAX_TOKENS];
    const char *merges[MAX_MERGES];
    int n, n_merges;
    char strings[1 << 14];
    size_t n_strings;
    const char *model, *pre, *arch;
    int n_scores, bos, unknown, add_bos, space_prefix;
};

static const char *keep(struct vocabulary *v, const char *s)
{
    char *copy = v->strings + v->n_strings;
    v->n_strings += strlen(s) + 1;
    assert_true(v->n_strings <= sizeof v->strings);
    return memcpy(copy, s, strlen(s) + 1);
}

static int add_token(struct vocabulary *v, const char *text, int32_t type, float score)
{
    assert_true(v->n < MAX_TOKENS);
    v->tokens[v->n] = keep(v, text);
    v->types[v->n] = type;
    v->scores[v->n] = score;
    return v->n++;
}

static void add_merge(struct vocabulary *v, const char *merge)
{
    assert_true(v->n_merges < MAX_MERGES);
    v->merges[v->n_merges++] = keep(v, merge);
}

/* The lowest id, or -1. */
static int find_token(const struct vocabulary *v, const char *text)
{
    for (int i = 0; i < v->n; i++)
        if (strcmp(v->tokens[i], text) == 0)
            return i;
    return -1;
}

/* GPT-2's character for a byte: the unprintable ones are numbered from U+0100. */
static void byte_char(char out[3], int byte)
{
    int code = byte, n_before = 0;
    for (int i = 0; i <= byte; i++)
        if (!((i >= '!' && i <= '~') || (i >= 0xA1 && i <= 0xAC) || i >= 0xAE)) {
            code = i == byte ? 256 + n_before : code;
            n_before++;
        }
    out[put_utf8(out, (uint32_t)code)] = '\0';
}

/* Ids 0..255 are the bytes in reverse order, so that none is right by chance. */
static void init_bpe(struct vocabulary *v, const char *pre)
{
    *v = (struct vocabulary){.model = "gpt2", .pre = pre, .n_scores = -1};
    v->bos = v->unknown = v->add_bos = v->space_prefix = -1;
    for (int i = 0; i < 256; i++) {
        char c[3];
        byte_char(c, 255 - i);
        add_token(v, c, TRIT_TOKEN_NORMAL, 0);
    }
}

static int byte_id(char c)
{
    return 255 - (unsigned char)c;
}

/* <unk>, <s>, </s>, then the bytes. */
static void init_spm(struct vocabulary *v)
{
    *v = (struct vocabulary){.model = "llama", .n_scores = 0};
    v->bos = 1;
    v->unknown = 0;
    v->add_bos = v->space_prefix = -1;
    add_token(v, "<unk>", TRIT_TOKEN_UNKNOWN, 0);
    add_token(v, "<s>", TRIT_TOKEN_CONTROL, 0);
    add_token(v, "</s>", TRIT_TOKEN_CONTROL, 0);
    for (int i = 0; i < 256; i++) {
        char text[8];
        snprintf(text, sizeof text, "<0x%02X>", i);
        add_token(v, text, TRIT_TOKEN_BYTE, 0);
    }
}
enum { SPM_BYTE = 3 }; /* the id of byte 0 */

static void put_scores(struct fx_gguf *g, const float *scores, int n)
{
    fx_put_string(&g->kv, "tokenizer.ggml.scores");
    fx_put_u32(&g->kv, TRIT_VALUE_ARRAY);
    fx_put_u32(&g->kv, TRIT_VALUE_F32);
    fx_put_u64(&g->kv, (uint64_t)n);
    fx_put(&g->kv, scores, (size_t)n * sizeof *scores);
    g->n_kv++;
}

/* n_scores: 0 for as many as tokens. */
static void put_vocabulary(struct fx_gguf *g, const struct vocabulary *v)
{
    fx_init(g);
    fx_str(g, "tokenizer.ggml.model", v->model);
    if (v->pre)
        fx_str(g, "tokenizer.ggml.pre", v->pre);
    if (v->arch)
        fx_str(g, "general.architecture", v->arch);
    fx_str_array(g, "tokenizer.ggml.tokens", v->tokens, (size_t)v->n);
    fx_i32_array(g, "tokenizer.ggml.token_type", v->types, (size_t)v->n);
    if (v->n_scores >= 0)
        put_scores(g, v->scores, v->n_scores ? v->n_scores : v->n);
    if (v->n_merges)
        fx_str_array(g, "tokenizer.ggml.merges", v->merges, (size_t)v->n_merges);
    if (v->bos >= 0)
        fx_u32(g, "tokenizer.ggml.bos_token_id", (uint32_t)v->bos);
    if (v->unknown >= 0)
        fx_u32(g, "tokenizer.ggml.unknown_token_id", (uint32_t)v->unknown);
    if (v->add_bos >= 0)
        fx_bool(g, "tokenizer.ggml.add_bos_token", v->add_bos);
    if (v->space_prefix >= 0)
        fx_bool(g, "tokenizer.ggml.add_space_prefix", v->space_prefix);
}

/* Frees g; the file is closed again before the tokenizer is used. */
static trit_status open_gguf(trit_tokenizer **t, struct fx_gguf *g, struct trit_error *err)
{
    const struct trit_file_options read_it = {.no_mmap = true};
    const char *path = fx_write_gguf("vocabulary.gguf", g);
    trit_file *f;

    fx_free(g);
    if (trit_file_open(&f, path, &read_it, err))
        fail_msg("the reader refuses it: %s", err->text);
    remove(path); /* a new file is faster to write than an old one */
    const trit_status status = trit_tokenizer_open(t, f, err);
    trit_file_close(&f);
    assert_true((status == TRIT_OK) == (*t != NULL));
    return status;
}

static trit_tokenizer *open_vocabulary(const struct vocabulary *v)
{
    struct fx_gguf g;
    struct trit_error err;
    trit_tokenizer *t;
    put_vocabulary(&g, v);
    if (open_gguf(&t, &g, &err))
        fail_msg("refused: %s", err.text);
    assert_int_equal(trit_tokenizer_n_vocab(t), v->n);
    return t;
}

static void refuse(const struct vocabulary *v, trit_status wanted, const char *part)
{
    struct fx_gguf g;
    struct trit_error err = {TRIT_OK, ""};
    trit_tokenizer *t;
    put_vocabulary(&g, v);
    const trit_status status = open_gguf(&t, &g, &err);
    if (status != wanted || err.code != wanted || !strstr(err.text, part))
        fail_msg("expected status %d and '%s', got %d: %s", (int)wanted, part, (int)status,
                 err.text);
}

static void same_ids(const char *text, size_t len, const int32_t *ids, int32_t n,
                     const int32_t *wanted, int32_t n_wanted)
{
    for (int32_t i = 0; i < n || i < n_wanted; i++)
        if (i >= n || i >= n_wanted || ids[i] != wanted[i])
            fail_msg("id %d of \"%.*s\" (%zu bytes) is %d, not %d", i, len < 99 ? (int)len : 99,
                     text, len, i < n ? ids[i] : -1, i < n_wanted ? wanted[i] : -1);
}

/* wanted ends with END. */
static void check_bytes(const trit_tokenizer *t, const char *text, size_t len, unsigned flags,
                        const int32_t *wanted)
{
    struct trit_error err;
    int32_t *ids, n, n_wanted = 0;
    if (trit_tokenizer_encode(t, text, len, flags, &ids, &n, &err))
        fail_msg("refused: %s", err.text);
    assert_non_null(ids);
    while (wanted[n_wanted] != END)
        n_wanted++;
    same_ids(text, len, ids, n, wanted, n_wanted);
    trit_free(ids);
}

static void check(const trit_tokenizer *t, const char *text, unsigned flags, const int32_t *wanted)
{
    check_bytes(t, text, strlen(text), flags, wanted);
}
#define IDS(...)                                                                                   \
    (const int32_t[])                                                                              \
    {                                                                                              \
        __VA_ARGS__, END                                                                           \
    }

/* ---- Byte-level BPE -------------------------------------------------------------------------- */

/* The fixture's vocabulary: all bytes, " t", "he", " the", then control tokens. */
static void fixture_merges(void **state)
{
    const struct fx_model *m = fx_model("fixture.gguf", &fx_default);
    trit_tokenizer *t;
    trit_file *f;
    (void)state;

    assert_int_equal(trit_file_open(&f, m->path, NULL, NULL), TRIT_OK);
    assert_int_equal(trit_tokenizer_open(&t, f, NULL), TRIT_OK);
    trit_file_close(&f);
    check(t, " the", 0, IDS(258));
    check(t, "the", 0, IDS('t', 257));
    check(t, " th", 0, IDS(256, 'h'));
    check(t, " tthe", 0, IDS(256, 't', 257));
    check(t, " the the", 0, IDS(258, 258));
    check(t, "  the", 0, IDS(' ', 258));
    check(t, "he he", 0, IDS(257, ' ', 257));
    check(t, "hhee", 0, IDS('h', 257, 'e'));
    check(t, "t he", 0, IDS('t', ' ', 257)); /* not across pieces */
    check_bytes(t, "\0\xFF\n", 3, 0, IDS(0, 255, '\n'));
    check(t, "<|299|>", 0, IDS('<', '|', '2', '9', '9', '|', '>'));
    check(t, "<|299|>", TRIT_ENCODE_SPECIAL, IDS(299));
    check(t, "", TRIT_ENCODE_BOS, IDS(END));
    trit_tokenizer_close(&t);
}

/* The rank decides, not the place: "b c" comes before "a b". */
static void merge_order(void **state)
{
    struct vocabulary v;
    (void)state;
    init_bpe(&v, "gpt-2");
    const int ab = add_token(&v, "ab", 1, 0), abc = add_token(&v, "abc", 1, 0),
              bc = add_token(&v, "bc", 1, 0);
    trit_tokenizer *t = open_vocabulary(&v);
    check(t, "abc", 0, IDS(byte_id('a'), byte_id('b'), byte_id('c'))); /* nothing without merges */
    trit_tokenizer_close(&t);
    add_merge(&v, "b c");
    add_merge(&v, "a b");
    add_merge(&v, "ab c");
    t = open_vocabulary(&v);
    check(t, "abc", 0, IDS(byte_id('a'), bc));
    check(t, "ab", 0, IDS(ab));
    check(t, "abbc", 0, IDS(ab, bc));
    check(t, "aab", 0, IDS(byte_id('a'), ab));
    trit_tokenizer_close(&t);
    v.n_merges = 0;
    add_merge(&v, "a b");
    add_merge(&v, "b c");
    add_merge(&v, "ab c");
    t = open_vocabulary(&v);
    check(t, "abc", 0, IDS(abc));
    trit_tokenizer_close(&t);
}

/* Of equal pairs the leftmost is merged first. */
static void leftmost_first(void **state)
{
    struct vocabulary v;
    (void)state;
    init_bpe(&v, "gpt-2");
    const int a = byte_id('a'), aa = add_token(&v, "aa", 1, 0), aaa = add_token(&v, "aaa", 1, 0);
    add_merge(&v, "a a");
    add_merge(&v, "aa a");
    trit_tokenizer *t = open_vocabulary(&v);
    check(t, "a", 0, IDS(a));
    check(t, "aa", 0, IDS(aa));
    check(t, "aaa", 0, IDS(aaa));
    check(t, "aaaa", 0, IDS(aa, aa));
    check(t, "aaaaa", 0, IDS(aa, aaa));
    check(t, "aaaaaaa", 0, IDS(aa, aa, aaa));
    trit_tokenizer_close(&t);
}

struct rule {
    int left, right, merged;
};

static int read_rules(struct rule *out, const struct vocabulary *v)
{
    int n = 0;
    for (int i = 0; i < v->n_merges; i++) {
        char left[64], right[64], both[128];
        assert_int_equal(sscanf(v->merges[i], "%63s %63s", left, right), 2);
        snprintf(both, sizeof both, "%s%s", left, right);
        out[n++] = (struct rule){find_token(v, left), find_token(v, right), find_token(v, both)};
    }
    return n;
}

/* The definition: of all pairs, merge the one with the lowest rank, the leftmost of equals. */
static int naive_bpe(int32_t *out, const struct rule *r, int n_rules, const int32_t *bytes, int n)
{
    memcpy(out, bytes, (size_t)n * sizeof *out);
    for (;;) {
        int best = n_rules, at = 0;
        for (int i = 0; i + 1 < n; i++)
            for (int j = 0; j < best; j++)
                if (r[j].left == out[i] && r[j].right == out[i + 1]) {
                    best = j;
                    at = i;
                }
        if (best == n_rules)
            return n;
        out[at] = r[best].merged;
        n--;
        memmove(out + at + 1, out + at + 2, (size_t)(n - at - 1) * sizeof *out);
    }
}

static int naive_piece(int32_t *out, const struct vocabulary *v, bool ignore_merges,
                       struct trit_string piece, const struct rule *r, int n_rules)
{
    int32_t bytes[256];
    char whole[512] = "";

    assert_true(piece.len < COUNT(bytes));
    for (size_t i = 0; i < piece.len; i++) {
        char c[3];
        byte_char(c, (unsigned char)piece.bytes[i]);
        strcat(whole, c);
        bytes[i] = byte_id(piece.bytes[i]);
    }
    out[0] = ignore_merges ? find_token(v, whole) : -1;
    return out[0] >= 0 ? 1 : naive_bpe(out, r, n_rules, bytes, (int)piece.len);
}

/* Merges that overlap: each joins two existing tokens. A merge may rank before the ones that make
 * its parts. */
static void random_merges(struct vocabulary *v, uint64_t *rng)
{
    static const char *const letters[] = {"a", "b", "c", "\u0120", "\u00C3", "\u00A9"};
    const char *parts[MAX_MERGES + COUNT(letters)];
    size_t n = 0;

    for (; n < COUNT(letters); n++)
        parts[n] = letters[n];
    for (int tries = 0; tries < 45; tries++) {
        const char *left = parts[fx_random(rng) % n], *right = parts[fx_random(rng) % n];
        char both[64], merge[64];
        if (strlen(left) + strlen(right) > 10)
            continue;
        snprintf(both, sizeof both, "%s%s", left, right);
        snprintf(merge, sizeof merge, "%s %s", left, right);
        add_merge(v, merge);
        if (find_token(v, both) < 0)
            parts[n++] = v->tokens[add_token(v, both, TRIT_TOKEN_NORMAL, 0)];
    }
    for (int i = v->n_merges - 1; i > 0 && fx_random(rng) % 2; i--) {
        const int j = (int)(fx_random(rng) % (unsigned)(i + 1));
        const char *swap = v->merges[i];
        v->merges[i] = v->merges[j];
        v->merges[j] = swap;
    }
}

static void same_as_naive_bpe(void **state)
{
    static const char *const parts[] = {"a", "b", "c", " ", "\u00E9", "a", "b", "aa", "ab", "ba"};
    uint64_t rng = seed("same_as_naive_bpe", 99);
    (void)state;
    for (int round = 0; round < 60; round++) {
        const size_t rule = (size_t)round % N_RULES;
        struct vocabulary v;
        struct rule r[MAX_MERGES];
        init_bpe(&v, rules[rule].name);
        random_merges(&v, &rng);
        const int n_rules = read_rules(r, &v);
        trit_tokenizer *t = open_vocabulary(&v);
        for (int i = 0; i < 200; i++) {
            char text[100] = "";
            int32_t wanted[COUNT(text)] = {0}, *ids, n, n_wanted = 0;
            for (uint64_t len = fx_random(&rng) % 40; len > 0; len--)
                strcat(text, parts[fx_random(&rng) % COUNT(parts)]);
            struct trit_pieces walk = begin_pieces(rules[rule].name, text, strlen(text));
            struct trit_string piece;
            while (trit_next_piece(&walk, &piece))
                n_wanted += naive_piece(wanted + n_wanted, &v, rules[rule].ignore_merges, piece, r,
                                        n_rules);
            assert_int_equal(trit_tokenizer_encode(t, text, strlen(text), 0, &ids, &n, NULL), 0);
            same_ids(text, strlen(text), ids, n, wanted, n_wanted);
            trit_free(ids);
        }
        trit_tokenizer_close(&t);
    }
}

/* If merges are ignored, a piece that is a token becomes that token; any other piece is merged. */
static void whole_pieces(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_RULES; i++) {
        struct vocabulary v;
        init_bpe(&v, rules[i].name);
        const int abc = add_token(&v, "abc", 1, 0), e = add_token(&v, "\u0120\u00C3\u00A9", 1, 0),
                  xy = add_token(&v, "xy", 1, 0);
        add_merge(&v, "x y");
        trit_tokenizer *t = open_vocabulary(&v);
        if (rules[i].ignore_merges) {
            check(t, "abc \u00E9", 0, IDS(abc, e));
            check(t, "xyz abcd", 0,
                  IDS(xy, byte_id('z'), byte_id(' '), byte_id('a'), byte_id('b'), byte_id('c'),
                      byte_id('d')));
        } else {
            check(t, "abc \u00E9", 0,
                  IDS(byte_id('a'), byte_id('b'), byte_id('c'), byte_id(' '), byte_id('\xC3'),
                      byte_id('\xA9')));
        }
        trit_tokenizer_close(&t);
    }
}

/* Tokens of any length, in bytes or in the characters that stand for them. */
static void long_tokens(void **state)
{
    static const size_t lengths[] = {2, 100, 127, 128, 129, 255, 256, 257, 300, 1000};
    (void)state;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        const size_t n = lengths[i];
        struct vocabulary v;
        char spaces[1024], text[2100] = "";
        init_bpe(&v, "llama-bpe");
        memset(spaces, ' ', n);
        for (size_t j = 0; j < n; j++)
            strcat(text, "\u0120");
        const int id = add_token(&v, text, 1, 0);
        trit_tokenizer *t = open_vocabulary(&v);
        check_bytes(t, spaces, n, 0, IDS(id));
        trit_tokenizer_close(&t);
    }
}

/* The same by merging: each merge doubles a run. */
static void long_merges(void **state)
{
    struct vocabulary v;
    char run[2049] = "";
    int id = 0;
    (void)state;
    init_bpe(&v, "gpt-2");
    for (size_t n = 1; n <= 512; n *= 2) {
        char merge[1100];
        memset(run, 'a', 2 * n);
        snprintf(merge, sizeof merge, "%.*s %.*s", (int)n, run, (int)n, run);
        add_merge(&v, merge);
        id = add_token(&v, run, 1, 0);
    }
    trit_tokenizer *t = open_vocabulary(&v);
    check(t, run, 0, IDS(id));
    trit_tokenizer_close(&t);
}

/* ---- SentencePiece --------------------------------------------------------------------------- */

#define MARK "\u2581"

static void spm_basics(void **state)
{
    struct vocabulary v;
    (void)state;
    init_spm(&v);
    const int mark = add_token(&v, MARK, 1, -9), a = add_token(&v, "a", 1, -10),
              b = add_token(&v, "b", 1, -11), ab = add_token(&v, "ab", 1, -3),
              mark_a = add_token(&v, MARK "a", 1, -2), bb = add_token(&v, "bb", 1, -4),
              mark_2 = add_token(&v, MARK MARK, 1, -5);
    trit_tokenizer *t = open_vocabulary(&v);
    check(t, "", 0, IDS(END)); /* not even the space */
    check(t, "b", 0, IDS(mark, b));
    check(t, "ab", 0, IDS(mark_a, b)); /* the higher score, although ab would fit too */
    check(t, "bab", 0, IDS(mark, b, ab));
    check(t, "bbb", 0, IDS(mark, bb, b)); /* leftmost */
    check(t, " a", 0, IDS(mark, mark_a));
    check(t, "  ", 0, IDS(mark_2, mark));
    check(t, "a" MARK "a", 0, IDS(mark_a, mark_a)); /* a mark in the text counts as a space */
    check(t, "a a", 0, IDS(mark_a, mark_a));
    check(t, "a\u00E9\n", 0, IDS(mark_a, SPM_BYTE + 0xC3, SPM_BYTE + 0xA9, SPM_BYTE + '\n'));
    check(t, "\xE2\x96", 0, IDS(mark, SPM_BYTE + 0xE2, SPM_BYTE + 0x96));
    check_bytes(t, "a\0\xFF", 3, 0, IDS(mark_a, SPM_BYTE, SPM_BYTE + 0xFF));
    check(t, "<0x41>a", 0,
          IDS(mark, SPM_BYTE + '<', SPM_BYTE + '0', SPM_BYTE + 'x', SPM_BYTE + '4', SPM_BYTE + '1',
              SPM_BYTE + '>', a));
    assert_true(trit_string_is(trit_tokenizer_piece(t, mark_a, false), " a"));
    assert_true(trit_string_is(trit_tokenizer_piece(t, mark_2, false), "  "));
    assert_true(trit_string_is(trit_tokenizer_piece(t, SPM_BYTE + 'A', false), "A"));
    assert_int_equal(trit_tokenizer_piece(t, SPM_BYTE, false).len, 1);
    assert_int_equal(trit_tokenizer_piece(t, 1, false).len, 0);
    assert_true(trit_string_is(trit_tokenizer_piece(t, 1, true), "<s>"));
    trit_tokenizer_close(&t);
    v.space_prefix = 0;
    t = open_vocabulary(&v);
    check(t, "ab", 0, IDS(ab));
    check(t, " ab", 0, IDS(mark_a, b));
    check(t, "", 0, IDS(END));
    trit_tokenizer_close(&t);
    v.space_prefix = 1;
    t = open_vocabulary(&v);
    check(t, "ab", 0, IDS(mark_a, b));
    trit_tokenizer_close(&t);
}

/* Without its byte tokens a character becomes the unknown token, once for each missing byte;
 * without an unknown token it is an error. */
static void spm_unknown(void **state)
{
    struct vocabulary v;
    struct trit_error err;
    int32_t *ids = (int32_t *)&err, n;
    (void)state;
    init_spm(&v);
    v.tokens[SPM_BYTE + 0xA9] = "no byte";
    v.types[SPM_BYTE + 0xA9] = TRIT_TOKEN_NORMAL;
    const int a = add_token(&v, "a", 1, -1);
    v.space_prefix = 0;
    trit_tokenizer *t = open_vocabulary(&v);
    check(t, "a\u00E9a", 0, IDS(a, SPM_BYTE + 0xC3, 0, a));
    check(t, " ", 0, IDS(SPM_BYTE + 0xE2, SPM_BYTE + 0x96, SPM_BYTE + 0x81)); /* a mark too */
    trit_tokenizer_close(&t);
    v.unknown = -1;
    t = open_vocabulary(&v);
    assert_int_equal(trit_tokenizer_encode(t, "a\u00E9", 3, 0, &ids, &n, &err), TRIT_E_FAILED);
    assert_null(ids);
    assert_non_null(strstr(err.text, "0xa9"));
    check(t, "a\u00C3", 0, IDS(a, SPM_BYTE + 0xC3, SPM_BYTE + 0x83));
    trit_tokenizer_close(&t);
}

struct naive_spm {
    const struct vocabulary *v;
    int32_t ids[400];
    int n;
};

static int find_normal(const struct vocabulary *v, const char *bytes, size_t len)
{
    for (int i = 0; i < v->n; i++)
        if (v->types[i] == TRIT_TOKEN_NORMAL && strlen(v->tokens[i]) == len &&
            memcmp(v->tokens[i], bytes, len) == 0)
            return i;
    return -1;
}

/* Joins the two neighbors that form the token with the highest score, the leftmost of equals,
 * until none do. Symbol i is text[at[i]..at[i + 1]). */
static int naive_joins(const struct vocabulary *v, const char *text, size_t *at, int n)
{
    for (;;) {
        int best = -1, where = 0;
        for (int i = 0; i + 1 < n; i++) {
            const int id = find_normal(v, text + at[i], at[i + 2] - at[i]);
            if (id >= 0 && (best < 0 || v->scores[id] > v->scores[best])) {
                best = id;
                where = i;
            }
        }
        if (best < 0)
            return n;
        memmove(at + where + 1, at + where + 2, (size_t)(n - where - 1) * sizeof *at);
        n--;
    }
}

static void naive_plain(struct naive_spm *out, const char *plain, size_t len)
{
    char text[400] = "";
    size_t at[400] = {0}, n_bytes;
    int n = 0;

    if (out->v->space_prefix)
        strcat(text, MARK);
    for (size_t i = 0; i < len; i++)
        strcat(text, plain[i] == ' ' ? MARK : (const char[]){plain[i], '\0'});
    for (size_t i = 0; i < strlen(text); i += n_bytes) {
        n_bytes = 1;
        while ((text[i + n_bytes] & 0xC0) == 0x80) /* the text is valid UTF-8 */
            n_bytes++;
        at[++n] = i + n_bytes;
    }
    n = naive_joins(out->v, text, at, n);
    for (int i = 0; i < n; i++) {
        const int id = find_normal(out->v, text + at[i], at[i + 1] - at[i]);
        for (size_t j = at[i]; id < 0 && j < at[i + 1]; j++) {
            const int byte = SPM_BYTE + (unsigned char)text[j];
            out->ids[out->n++] = out->v->types[byte] == TRIT_TOKEN_BYTE ? byte : 0;
        }
        if (id >= 0)
            out->ids[out->n++] = id;
    }
}

/* User-defined tokens come first; the text between them is encoded separately. */
static void naive_spm(struct naive_spm *out, const char *text)
{
    size_t from = 0, i = 0;

    while (text[i]) {
        int best = -1;
        for (int j = 0; j < out->v->n; j++)
            if (out->v->types[j] == TRIT_TOKEN_USER_DEFINED &&
                strncmp(text + i, out->v->tokens[j], strlen(out->v->tokens[j])) == 0 &&
                (best < 0 || strlen(out->v->tokens[j]) > strlen(out->v->tokens[best])))
                best = j;
        if (best < 0) {
            i++;
            continue;
        }
        if (i > from)
            naive_plain(out, text + from, i - from);
        out->ids[out->n++] = best;
        i += strlen(out->v->tokens[best]);
        from = i;
    }
    if (i > from)
        naive_plain(out, text + from, i - from);
}

/* Only a few different scores, so that many tie. */
static void random_scores(struct vocabulary *v, uint64_t *rng)
{
    static const char *const letters[] = {MARK, "a", "b", "\u00E9", "\u4E2D"};

    for (size_t i = 0; i < COUNT(letters); i++)
        if (i == 0 || fx_random(rng) % 3)
            add_token(v, letters[i], TRIT_TOKEN_NORMAL, -20);
    for (int tries = 0; tries < 50; tries++) {
        char text[64] = "";
        for (uint64_t n = 2 + fx_random(rng) % 4; n > 0; n--)
            strcat(text, letters[fx_random(rng) % (fx_random(rng) % 3 ? 3 : COUNT(letters))]);
        if (find_token(v, text) < 0)
            add_token(v, text, TRIT_TOKEN_NORMAL, (float)(fx_random(rng) % 12) * 0.5f - 5.0f);
    }
}

static void same_as_naive_spm(void **state)
{
    static const char *const parts[] = {"a", "b", " ", "a", "b", "\u00E9", "\u4E2D", MARK, "c"};
    uint64_t rng = seed("same_as_naive_spm", 4711);
    (void)state;
    for (int round = 0; round < 48; round++) {
        struct vocabulary v;
        init_spm(&v);
        v.space_prefix = round % 2;
        for (int i = SPM_BYTE + 0x80; i < SPM_BYTE + 256 && round % 4 == 3; i += 3) {
            v.tokens[i] = keep(&v, "missing");
            v.types[i] = TRIT_TOKEN_UNUSED;
        }
        random_scores(&v, &rng);
        if (round % 3 == 0) {
            add_token(&v, "aba", TRIT_TOKEN_USER_DEFINED, 0);
            add_token(&v, "  ", TRIT_TOKEN_USER_DEFINED, 0);
            add_token(&v, "abaa", TRIT_TOKEN_USER_DEFINED, 0);
        }
        trit_tokenizer *t = open_vocabulary(&v);
        for (int i = 0; i < 200; i++) {
            struct naive_spm wanted = {.v = &v, .n = 0};
            char text[120] = "";
            int32_t *ids, n;
            for (uint64_t len = fx_random(&rng) % 30; len > 0; len--)
                strcat(text, parts[fx_random(&rng) % COUNT(parts)]);
            naive_spm(&wanted, text);
            assert_int_equal(trit_tokenizer_encode(t, text, strlen(text), 0, &ids, &n, NULL), 0);
            same_ids(text, strlen(text), ids, n, wanted.ids, wanted.n);
            trit_free(ids);
        }
        trit_tokenizer_close(&t);
    }
}

/* Scores that are equal as numbers are ties, even if their bits differ. */
static void spm_zero_scores(void **state)
{
    struct vocabulary v;
    (void)state;
    init_spm(&v);
    v.space_prefix = 0;
    const int ab = add_token(&v, "ab", 1, -0.0f), bc = add_token(&v, "bc", 1, 0.0f);
    trit_tokenizer *t = open_vocabulary(&v);
    check(t, "abc", 0, IDS(ab, SPM_BYTE + 'c'));
    check(t, "bcb", 0, IDS(bc, SPM_BYTE + 'b'));
    trit_tokenizer_close(&t);
}

/* ---- Special tokens -------------------------------------------------------------------------- */

static void special_tokens(void **state)
{
    struct vocabulary v;
    (void)state;
    init_bpe(&v, "gpt-2");
    const int spaces = add_token(&v, "\u0120\u0120", 1, 0), eot = add_token(&v, "<|eot_id|>", 3, 0),
              s = add_token(&v, "<s>", 3, 0), sx = add_token(&v, "<s>x", 3, 0),
              two = add_token(&v, "##", 4, 0), three = add_token(&v, "###", 4, 0),
              mixed = add_token(&v, "##x", 3, 0), user = add_token(&v, "<s>u", 4, 0);
    const int a = byte_id('a'), b = byte_id('b'), lt = byte_id('<'), gt = byte_id('>'),
              hash = byte_id('#'), x = byte_id('x');
    const unsigned special = TRIT_ENCODE_SPECIAL;
    add_merge(&v, "\u0120 \u0120");
    trit_tokenizer *t = open_vocabulary(&v);

    check(t, "a<|eot_id|>b", special, IDS(a, eot, b));
    check(t, "a<|eot_id|>b", 0,
          IDS(a, lt, byte_id('|'), byte_id('e'), byte_id('o'), byte_id('t'), byte_id('_'),
              byte_id('i'), byte_id('d'), byte_id('|'), gt, b));
    check(t, "<|eot_id|><|eot_id|>", special, IDS(eot, eot));
    check(t, "<|eot_id|", special,
          IDS(lt, byte_id('|'), byte_id('e'), byte_id('o'), byte_id('t'), byte_id('_'),
              byte_id('i'), byte_id('d'), byte_id('|')));
    check(t, "<<s>>", special, IDS(lt, s, gt));
    check(t, "<s>x<s>", special, IDS(sx, s)); /* the longest */
    check(t, "<s>x", 0, IDS(lt, byte_id('s'), gt, x));
    check(t, "<s>ua", 0, IDS(user, a)); /* user-defined: always */
    check(t, "<s>ua", special, IDS(user, a));
    check(t, "#a##b", 0, IDS(hash, a, two, b));
    check(t, "#####", 0, IDS(three, two)); /* the longest, from the left */
    check(t, "####", 0, IDS(three, hash));
    check(t, "##x", 0, IDS(two, x));
    check(t, "##x", special, IDS(mixed));
    check(t, "a  ##  b", 0,
          IDS(a, spaces, two, byte_id(' '), byte_id(' '), b)); /* encoded separately */
    check(t, "", special, IDS(END));
    assert_true(trit_string_is(trit_tokenizer_piece(t, two, false), "##"));
    assert_int_equal(trit_tokenizer_piece(t, eot, false).len, 0);
    assert_true(trit_string_is(trit_tokenizer_piece(t, eot, true), "<|eot_id|>"));
    trit_tokenizer_close(&t);
}

static void special_tokens_spm(void **state)
{
    struct vocabulary v;
    (void)state;
    init_spm(&v);
    const int mark = add_token(&v, MARK, 1, -9), a = add_token(&v, "a", 1, -8),
              ab = add_token(&v, "ab", 1, -1), user = add_token(&v, "<u>", 4, 0);
    const unsigned both = TRIT_ENCODE_SPECIAL | TRIT_ENCODE_BOS;
    v.space_prefix = 0;
    trit_tokenizer *t = open_vocabulary(&v);
    check(t, "a<s>ab", 0, IDS(a, SPM_BYTE + '<', SPM_BYTE + 's', SPM_BYTE + '>', ab));
    check(t, "a<s>ab", TRIT_ENCODE_SPECIAL, IDS(a, 1, ab));
    check(t, "a<u>b", 0, IDS(a, user, SPM_BYTE + 'b'));
    check(t, "<u></s>", both, IDS(1, user, 2));
    trit_tokenizer_close(&t);
    v.space_prefix = 1;
    t = open_vocabulary(&v);
    check(t, "a", both, IDS(1, mark, a));
    check(t, "<s>a", TRIT_ENCODE_SPECIAL, IDS(1, mark, a)); /* the text begins after it */
    check(t, "<u>", 0, IDS(user));
    trit_tokenizer_close(&t);
}

/* Text never becomes a control token, for any name of it: not as a whole piece, and not by
 * merging. */
static void control_tokens_are_not_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_RULES; i++) {
        struct vocabulary v;
        init_bpe(&v, rules[i].name);
        const int control = add_token(&v, "user", TRIT_TOKEN_CONTROL, 0);
        add_token(&v, "us", 1, 0);
        add_token(&v, "er", 1, 0);
        for (int with_merges = 0; with_merges < 2; with_merges++) {
            int32_t *ids, n;
            trit_tokenizer *t = open_vocabulary(&v);
            check(t, "user", TRIT_ENCODE_SPECIAL, IDS(control));
            assert_int_equal(trit_tokenizer_encode(t, "user", 4, 0, &ids, &n, NULL), TRIT_OK);
            for (int32_t j = 0; j < n; j++)
                if (ids[j] == control)
                    fail_msg("%s, %s merges: the text 'user' became the control token",
                             rules[i].name, with_merges ? "with" : "without");
            trit_free(ids);
            trit_tokenizer_close(&t);
            add_merge(&v, "u s");
            add_merge(&v, "e r");
            add_merge(&v, "us er");
        }
    }
}

static void control_tokens_are_not_text_spm(void **state)
{
    static const int32_t others[] = {TRIT_TOKEN_UNKNOWN, TRIT_TOKEN_CONTROL, TRIT_TOKEN_BYTE};
    (void)state;
    for (size_t i = 0; i < COUNT(others); i++) {
        struct vocabulary v;
        init_spm(&v);
        v.space_prefix = 0;
        const int a = add_token(&v, "a", TRIT_TOKEN_NORMAL, -5);
        add_token(&v, "b", others[i], 0); /* alone, and joined */
        add_token(&v, "aa", others[i], 0);
        trit_tokenizer *t = open_vocabulary(&v);
        check(t, "aaab", 0, IDS(a, a, a, SPM_BYTE + 'b'));
        trit_tokenizer_close(&t);
    }
}

/* add_bos_token, if the file has it; else yes for SentencePiece and for the llama-bpe pre-tokenizer
 * (also of bitnet-b1.58 files that name none), and no for others. */
static void bos(void **state)
{
    static const struct {
        const char *pre, *arch;
        bool wanted;
    } rows[] = {
        {"gpt-2", "llama", false},     {"llama-bpe", "llama", true},
        {"falcon3", "llama", false},   {"falcon_e", "llama", false},
        {"qwen2", "qwen3", false},     {"llama-bpe", "bitnet-b1.58", true},
        {NULL, "bitnet-b1.58", true},  {"gpt-2", "bitnet-b1.58", false},
        {NULL, "bitnet-25", true},     {NULL, "llama", false},
        {NULL, NULL, false},           {"default", "llama", false},
        {NULL, "sentencepiece", true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int add_bos = -1; add_bos < 2; add_bos++)
            for (int has_bos = 0; has_bos < 2; has_bos++) {
                struct vocabulary v;
                if (rows[i].arch && strcmp(rows[i].arch, "sentencepiece") == 0)
                    init_spm(&v);
                else
                    init_bpe(&v, rows[i].pre);
                v.arch = rows[i].arch;
                v.add_bos = add_bos;
                v.space_prefix = 0;
                const int id = add_token(&v, "<begin>", 3, 0), word = add_token(&v, "<>", 4, 0);
                v.bos = has_bos ? id : -1;
                const int wanted = has_bos && (add_bos < 0 ? rows[i].wanted : add_bos) ? id : -1;
                trit_tokenizer *t = open_vocabulary(&v);
                assert_int_equal(trit_tokenizer_bos(t), wanted);
                check(t, "<>", TRIT_ENCODE_BOS, wanted < 0 ? IDS(word) : IDS(id, word));
                check(t, "", TRIT_ENCODE_BOS, IDS(wanted));
                check(t, "<>", 0, IDS(word));
                trit_tokenizer_close(&t);
            }
}

/* ---- There and back -------------------------------------------------------------------------- */

struct back {
    char *bytes;
    size_t len;
};

/* Encodes, then decodes the ids. Release bytes with free(). */
static struct back there_and_back(const trit_tokenizer *t, const char *text, size_t len,
                                  int32_t *n_ids)
{
    struct trit_error err;
    struct back back = {NULL, 0};
    int32_t *ids, n;

    if (trit_tokenizer_encode(t, text, len, 0, &ids, &n, &err))
        fail_msg("refused: %s", err.text);
    for (int32_t i = 0; i < n; i++)
        back.len += trit_tokenizer_piece(t, ids[i], false).len;
    back.bytes = malloc(back.len + 1);
    assert_non_null(back.bytes);
    back.len = 0;
    for (int32_t i = 0; i < n; i++) {
        const struct trit_string s = trit_tokenizer_piece(t, ids[i], false);
        memcpy(back.bytes + back.len, s.bytes, s.len);
        back.len += s.len;
    }
    if (n_ids)
        *n_ids = n;
    trit_free(ids);
    return back;
}

static void check_back(const trit_tokenizer *t, const char *text, size_t len, bool space_prefix)
{
    struct back back = there_and_back(t, text, len, NULL);
    const size_t prefix = space_prefix && len;
    assert_int_equal(back.len, len + prefix);
    if (prefix)
        assert_int_equal(back.bytes[0], ' ');
    if (len)
        assert_memory_equal(back.bytes + prefix, text, len);
    free(back.bytes);
}

/* A mark in the text becomes a space, so the text must not contain one. */
static size_t without_marks(char *text, size_t len)
{
    for (size_t i = 0; i + 3 <= len; i++)
        if (memcmp(text + i, MARK, 3) == 0)
            memcpy(text + i, "abc", 3);
    return len;
}

static void round_trips(void **state)
{
    uint64_t rng = seed("round_trips", 31337);
    (void)state;
    for (size_t i = 0; i < 2 * N_RULES; i++) {
        struct vocabulary v;
        const bool bpe = i < N_RULES;
        if (bpe) {
            init_bpe(&v, rules[i].name);
            random_merges(&v, &rng);
        } else {
            init_spm(&v);
            v.space_prefix = i % 2;
            random_scores(&v, &rng);
        }
        trit_tokenizer *t = open_vocabulary(&v);
        for (int round = 0; round < 300; round++) {
            char text[300];
            size_t len = round % 2 ? random_text(text, sizeof text, &rng)
                                   : random_utf8(text, sizeof text, &rng);
            len = bpe ? len : without_marks(text, len);
            check_back(t, text, len, !bpe && v.space_prefix);
        }
        trit_tokenizer_close(&t);
    }
}

/* Long texts of one piece, or with a possible token at every place: anything slower than n log n
 * hangs here. */
static void check_long(const trit_tokenizer *t, bool space_prefix)
{
    static const char *const units[] = {"a",      " ",      "\n",   " \n", "ab",    "\u4E2DA",
                                        "\u3000", "\u0301", "<",    "#",   "'",     "1",
                                        ".",      "aA",     "\xFF", "a ",  "\u00E9"};
    enum { LEN = 200000 };
    char *text = malloc(LEN);
    assert_non_null(text);
    for (size_t i = 0; i < COUNT(units); i++) {
        const size_t n = strlen(units[i]), len = LEN / n * n;
        for (size_t j = 0; j < len; j++)
            text[j] = units[i][j % n];
        check_back(t, text, len, space_prefix);
    }
    free(text);
}

static void long_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i <= N_RULES; i++) {
        struct vocabulary v;
        if (i < N_RULES) {
            init_bpe(&v, rules[i].name);
            add_merge(&v, "a a");
            add_merge(&v, "aa aa");
            add_merge(&v, "a b");
            add_merge(&v, "\u0120 \u0120");
            add_merge(&v, "\u0120\u0120 \u0120");
        } else {
            init_spm(&v);
            add_token(&v, MARK, 1, -9);
            add_token(&v, MARK MARK, 1, -1);
            add_token(&v, MARK MARK MARK, 1, -2);
        }
        static const char *const tokens[] = {"aa", "aaaa", "ab", "\u0120\u0120",
                                             "\u0120\u0120\u0120"};
        for (size_t j = 0; j < COUNT(tokens); j++)
            add_token(&v, tokens[j], 1, -(float)j);
        for (int j = 0; j < 50; j++) {
            char name[24];
            snprintf(name, sizeof name, "<|special_%d|>", j);
            add_token(&v, name, j % 2 ? 3 : 4, 0);
        }
        trit_tokenizer *t = open_vocabulary(&v);
        check_long(t, i == N_RULES);
        trit_tokenizer_close(&t);
    }
}

/* ---- Hostile vocabularies -------------------------------------------------------------------- */

/* Invalid merges never apply, and do no harm. */
static void useless_merges(void **state)
{
    static const char *const merges[] = {
        "",    " ",    "a",   "a ",  " b",  "x y",  "no space at all",
        "a a", "a  b", "a b", "a b", "b a", "a\tb", "q qq"};
    char long_merge[4001];
    struct vocabulary v;
    (void)state;

    init_bpe(&v, "gpt-2");
    const int ab = add_token(&v, "ab", 1, 0);
    for (size_t i = 0; i < COUNT(merges); i++)
        add_merge(&v, merges[i]);
    memset(long_merge, 'a', sizeof long_merge - 1);
    long_merge[2000] = ' ';
    long_merge[sizeof long_merge - 1] = '\0';
    add_merge(&v, long_merge);
    trit_tokenizer *t = open_vocabulary(&v);
    check(t, "abxy", 0, IDS(ab, byte_id('x'), byte_id('y')));
    check(t, "ba", 0, IDS(byte_id('b'), byte_id('a')));
    trit_tokenizer_close(&t);
}

/* A vocabulary without all bytes cannot encode every text; repeated and empty tokens do no harm,
 * and the lowest id of equal ones counts. */
static void small_vocabularies(void **state)
{
    static const char *const tokens[] = {"a", "b", "a", "", "ab", "", "ab"};
    struct vocabulary v;
    struct trit_error err;
    int32_t *ids = (int32_t *)&err, n;
    (void)state;

    init_bpe(&v, NULL);
    v.n = 0;
    for (size_t i = 0; i < COUNT(tokens); i++)
        add_token(&v, tokens[i], i == 5 ? TRIT_TOKEN_USER_DEFINED : TRIT_TOKEN_NORMAL, 0);
    add_token(&v, "", TRIT_TOKEN_CONTROL, 0);
    add_merge(&v, "a b");
    trit_tokenizer *t = open_vocabulary(&v);
    check(t, "abba", TRIT_ENCODE_BOS | TRIT_ENCODE_SPECIAL, IDS(4, 1, 0));
    assert_int_equal(trit_tokenizer_encode(t, "abc", 3, 0, &ids, &n, &err), TRIT_E_FAILED);
    assert_null(ids);
    assert_int_equal(n, 0);
    assert_non_null(strstr(err.text, "0x63"));
    assert_int_equal(trit_tokenizer_piece(t, 3, false).len, 0);
    assert_true(trit_string_is(trit_tokenizer_piece(t, 6, false), "ab"));
    trit_tokenizer_close(&t);
}

/* More text than an array of ids could hold is refused before it is read. */
static void too_long(void **state)
{
    struct vocabulary v;
    struct trit_error err;
    int32_t *ids = (int32_t *)&err, n;
    (void)state;
    init_bpe(&v, "gpt-2");
    trit_tokenizer *t = open_vocabulary(&v);
    assert_int_equal(trit_tokenizer_encode(t, "", ((size_t)512 << 20) + 1, 0, &ids, &n, &err),
                     TRIT_E_ARGUMENT);
    assert_null(ids);
    assert_int_equal(trit_tokenizer_encode(t, "", SIZE_MAX, 0, &ids, &n, &err), TRIT_E_ARGUMENT);
    assert_null(ids);
    trit_tokenizer_close(&t);
}

static void odd_types(void **state)
{
    static const int32_t odd[] = {0, -1, 7, 8, 255, 256 + 3, 1000, INT32_MAX, INT32_MIN};
    struct vocabulary v;
    (void)state;
    init_bpe(&v, "llama-bpe");
    const int first = v.n;
    for (size_t i = 0; i < COUNT(odd); i++) {
        char text[8];
        snprintf(text, sizeof text, "xx%c", (char)('a' + (int)i));
        add_token(&v, text, odd[i], 0);
    }
    trit_tokenizer *t = open_vocabulary(&v);
    for (size_t i = 0; i < COUNT(odd); i++) { /* like a normal one */
        const int id = first + (int)i;
        check(t, v.tokens[id], 0, IDS(id));
        assert_true(trit_string_is(trit_tokenizer_piece(t, id, false), v.tokens[id]));
        assert_false(trit_tokenizer_is_end(t, id));
    }
    trit_tokenizer_close(&t);
}

/* With any scores, the ids decode to the text. */
static void odd_scores(void **state)
{
    static const float odd[] = {0.0f, -0.0f, 1e30f, -1e30f, 5.0f, -5.0f, 1e-45f, -1e-45f};
    uint64_t rng = seed("odd_scores", 8);
    (void)state;
    for (int round = 0; round < 20; round++) {
        struct vocabulary v;
        init_spm(&v);
        random_scores(&v, &rng);
        for (int i = SPM_BYTE + 256; i < v.n; i++) {
            const uint64_t r = fx_random(&rng) % (COUNT(odd) + 4);
            v.scores[i] = r < COUNT(odd) ? odd[r] : r % 2 ? NAN : r % 4 ? INFINITY : -INFINITY;
        }
        trit_tokenizer *t = open_vocabulary(&v);
        for (int i = 0; i < 100; i++) {
            char text[200];
            const size_t len = without_marks(text, random_text(text, sizeof text, &rng));
            check_back(t, text, len, true);
        }
        check_back(t, "abab aa bb \u00E9\u4E2D", 16, true);
        trit_tokenizer_close(&t);
    }
}

/* Invalid byte tokens, and characters that stand for no byte: their pieces are verbatim. */
static void odd_strings(void **state)
{
    static const char *const tokens[] = {"<0x4>",  "<0xZZ>", "<0x041>",     "<0x",        "",
                                         "\xFF",   "\xC4",   "\u4E2D",      "\U0001F600", "a b",
                                         "\u01C5", "\u00AD", "\xC4\xC4\x80"};
    static const char *const bpe[] = {"<0x4>",  "<0xZZ>", "<0x041>", "<0x",        "",
                                      "\xFF",   "\xC4",   "\u4E2D",  "\U0001F600", "a b",
                                      "\u01C5", "\u00AD", "\xC4\0"};
    struct vocabulary v;
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        if (kind) {
            init_spm(&v);
            add_token(&v, MARK, 1, 0);
        } else {
            init_bpe(&v, "llama-bpe");
        }
        const int first = v.n;
        for (size_t i = 0; i < COUNT(tokens); i++)
            add_token(&v, tokens[i], i < 5 && kind ? TRIT_TOKEN_BYTE : TRIT_TOKEN_NORMAL, 0);
        trit_tokenizer *t = open_vocabulary(&v);
        for (size_t i = 0; i < COUNT(tokens); i++) {
            const struct trit_string s = trit_tokenizer_piece(t, first + (int32_t)i, false);
            const char *wanted = kind ? tokens[i] : bpe[i];
            assert_int_equal(s.len, i + 1 < COUNT(tokens) || kind ? strlen(wanted) : 2);
            assert_memory_equal(s.bytes, wanted, s.len);
        }
        check_back(t, "a b \xFF \u4E2D<0x4>", 14, kind);
        trit_tokenizer_close(&t);
    }
}

static void scores_that_contradict(void **state)
{
    static const int counts[] = {1, 100, 258, 260, MAX_TOKENS};
    struct vocabulary v;
    (void)state;
    init_spm(&v);
    for (size_t i = 0; i < COUNT(counts); i++) {
        v.n_scores = counts[i];
        refuse(&v, TRIT_E_FILE, "scores");
    }
    v.n_scores = -1;
    refuse(&v, TRIT_E_FILE, "scores");

    struct fx_gguf g;
    struct trit_error err;
    trit_tokenizer *t;
    put_vocabulary(&g, &v);
    fx_i32_array(&g, "tokenizer.ggml.scores", v.types, (size_t)v.n);
    assert_int_equal(open_gguf(&t, &g, &err), TRIT_E_FILE);
    put_vocabulary(&g, &v);
    put_scores(&g, v.scores, 0);
    assert_int_equal(open_gguf(&t, &g, &err), TRIT_E_FILE);
    v.n_scores = 0;
    v.unknown = v.n;
    refuse(&v, TRIT_E_FILE, "unknown_token_id");
    v.unknown = -1;
    v.bos = v.n;
    refuse(&v, TRIT_E_FILE, "bos_token_id");
    v.bos = -1;
    put_vocabulary(&g, &v);
    fx_u32(&g, "tokenizer.ggml.add_space_prefix", 1);
    assert_int_equal(open_gguf(&t, &g, &err), TRIT_E_FILE);
}

/* Nothing here is timed: if the work could grow with the square of the size of a file, these tests
 * would take minutes instead of a moment. */
static void repeated_tokens(void **state)
{
    enum { N = 100000 };
    const char **items = malloc(N * sizeof *items);
    int32_t *types = malloc(N * sizeof *types), *ids, n;
    struct trit_error err;
    struct fx_gguf g;
    trit_tokenizer *t;
    (void)state;

    assert_true(items && types);
    for (int i = 0; i < N; i++) {
        items[i] = i == 0 ? "b" : "a";
        types[i] = i == 1 ? TRIT_TOKEN_NORMAL : TRIT_TOKEN_CONTROL;
    }
    fx_init(&g);
    fx_str(&g, "tokenizer.ggml.model", "gpt2");
    fx_str_array(&g, "tokenizer.ggml.tokens", items, N);
    fx_i32_array(&g, "tokenizer.ggml.token_type", types, N);
    for (int i = 0; i < N; i++)
        items[i] = "a a";
    fx_str_array(&g, "tokenizer.ggml.merges", items, N);
    assert_int_equal(open_gguf(&t, &g, &err), TRIT_OK);
    assert_int_equal(trit_tokenizer_encode(t, "aa", 2, 0, &ids, &n, &err), TRIT_OK);
    assert_int_equal(n, 2);
    assert_int_equal(ids[0], 1); /* the one that text may become */
    trit_free(ids);
    assert_int_equal(trit_tokenizer_encode(t, "a", 1, TRIT_ENCODE_SPECIAL, &ids, &n, &err),
                     TRIT_OK);
    assert_int_equal(ids[0], 2); /* the first control token */
    trit_free(ids);
    trit_tokenizer_close(&t);
    free(items);
    free(types);
}

static void special_tokens_of_every_length(void **state)
{
    enum { N = 2000, LEN = 20000 };
    static char longest[N + 2], text[LEN];
    static const char *items[N];
    static int32_t types[N];
    struct trit_error err;
    struct fx_gguf g;
    trit_tokenizer *t;
    int32_t *ids, n;
    (void)state;

    memset(longest, 'a', N);
    longest[N] = 'b';
    memset(text, 'a', LEN);
    text[LEN - 1] = 'b';
    for (int i = 0; i < N; i++) { /* the last i of a…ab; the first is plain "a" */
        items[i] = i == 0 ? "a" : longest + N - i;
        types[i] = i == 0 ? TRIT_TOKEN_NORMAL : TRIT_TOKEN_USER_DEFINED;
    }
    fx_init(&g);
    fx_str(&g, "tokenizer.ggml.model", "gpt2");
    fx_str_array(&g, "tokenizer.ggml.tokens", items, N);
    fx_i32_array(&g, "tokenizer.ggml.token_type", types, N);
    assert_int_equal(open_gguf(&t, &g, &err), TRIT_OK);
    assert_int_equal(trit_tokenizer_encode(t, text, LEN, 0, &ids, &n, &err), TRIT_OK);
    assert_int_equal(n, LEN - N + 1); /* plain ones, then the longest */
    assert_int_equal(ids[n - 1], N - 1);
    assert_int_equal(ids[n - 2], 0);
    trit_free(ids);
    trit_tokenizer_close(&t);
}

static void unknown_pretokenizers(void **state)
{
    static const char *const unknown[] = {"gpt-4o",     "llama4", "GPT-2",
                                          "llama-bpe ", "falcon", "\x1B[31m"};
    struct vocabulary v;
    (void)state;
    init_bpe(&v, NULL);
    for (size_t i = 0; i < COUNT(unknown); i++) {
        v.pre = unknown[i];
        for (size_t j = 0; j < N_RULES; j++)
            refuse(&v, TRIT_E_UNSUPPORTED, rules[j].name); /* the supported kinds */
        if (i < 3)
            refuse(&v, TRIT_E_UNSUPPORTED, unknown[i]); /* and what the file has */
    }
    for (size_t i = 0; i < N_RULES; i++)
        assert_non_null(strstr(trit_pretokenizer_names, rules[i].name));
    assert_null(trit_pretokenizer_find((struct trit_string){"", 0}));
    assert_null(trit_pretokenizer_find((struct trit_string){"gpt-2", 4}));
    for (size_t i = 0; i < N_RULES; i++) {
        assert_int_equal(find_rule(rules[i].name)->ignore_merges, rules[i].ignore_merges);
        assert_int_equal(find_rule(rules[i].name)->add_bos, rules[i].add_bos);
    }
}

/* ---- Real vocabularies ----------------------------------------------------------------------- */

/* A line of JSON that is being read; every error fails the test. */
static unsigned read_hex4(const char *p)
{
    unsigned code = 0;
    for (int i = 0; i < 4; i++) {
        const char *digits = "0123456789abcdef", *d = strchr(digits, p[i] | 0x20);
        assert_true(p[i] && d);
        code = code << 4 | (unsigned)(d - digits);
    }
    return code;
}

/* The character after a backslash: *p is advanced past it. */
static size_t read_escape(char *out, const char **p)
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    const char c = *(*p)++, *letter = strchr(letters, c);

    if (c != 'u') {
        assert_true(c && letter);
        out[0] = meant[letter - letters];
        return 1;
    }
    uint32_t code = read_hex4(*p);
    *p += 4;
    if (code >= 0xD800 && code < 0xDC00) {
        assert_true((*p)[0] == '\\' && (*p)[1] == 'u');
        code = 0x10000 + ((code - 0xD800) << 10) + (read_hex4(*p + 2) - 0xDC00);
        *p += 6;
    }
    return put_utf8(out, code);
}

static size_t read_json_string(char *out, size_t size, const char **p)
{
    size_t n = 0;

    assert_int_equal(*(*p)++, '"');
    while (**p != '"') {
        assert_true(**p && n + 4 < size);
        if (**p == '\\') {
            ++*p;
            n += read_escape(out + n, p);
        } else {
            out[n++] = *(*p)++;
        }
    }
    ++*p;
    return n;
}

static void expect(const char **p, const char *token)
{
    *p += strspn(*p, " ");
    assert_memory_equal(*p, token, strlen(token));
    *p += strlen(token);
    *p += strspn(*p, " ");
}

enum { MAX_LINE = 1 << 15 };
struct sample {
    char text[MAX_LINE];
    size_t len;
    int32_t ids[MAX_LINE / 2];
    int32_t n;
};

/* {"text": "…", "ids": [1, 2]} */
static void read_sample(struct sample *s, const char *p)
{
    expect(&p, "{");
    expect(&p, "\"text\"");
    expect(&p, ":");
    s->len = read_json_string(s->text, sizeof s->text, &p);
    expect(&p, ",");
    expect(&p, "\"ids\"");
    expect(&p, ":");
    expect(&p, "[");
    for (s->n = 0; *p != ']'; s->n++) {
        char *end;
        if (s->n)
            expect(&p, ",");
        s->ids[s->n] = (int32_t)strtol(p, &end, 10);
        assert_true(end > p);
        p = end + strspn(end, " ");
    }
    expect(&p, "]");
    expect(&p, "}");
}

static void read_samples(void **state)
{
    static const char line[] = "{\"text\": \"\\u00e9\\ud83d\\ude00\\n\\\"\\\\ \xC3\xA9\\u0000\", "
                               "\"ids\": [1,23, 456]}\n";
    static const char wanted[] = "\u00E9\U0001F600\n\"\\ \u00E9";
    struct sample *s = malloc(sizeof *s);
    (void)state;
    assert_non_null(s);
    read_sample(s, line);
    assert_int_equal(s->len, sizeof wanted); /* its last byte is the last byte of the text */
    assert_memory_equal(s->text, wanted, sizeof wanted);
    assert_int_equal(s->n, 3);
    assert_int_equal(s->ids[2], 456);
    read_sample(s, "{\"text\":\"\",\"ids\":[]}");
    assert_int_equal(s->len + (size_t)s->n, 0);
    free(s);
}

static void check_samples(const trit_tokenizer *t, FILE *f, bool spm)
{
    char *line = malloc(MAX_LINE);
    struct sample *s = malloc(sizeof *s);
    int n_lines = 0;

    assert_true(line && s);
    for (; fgets(line, MAX_LINE, f); n_lines++) {
        int32_t *ids, n;
        read_sample(s, line);
        assert_int_equal(trit_tokenizer_encode(t, s->text, s->len, 0, &ids, &n, NULL), TRIT_OK);
        same_ids(s->text, s->len, ids, n, s->ids, s->n);
        trit_free(ids);
        check_back(t, s->text, s->len, spm);
    }
    assert_true(n_lines >= 165);
    free(s);
    free(line);
}

/* The vocabulary can encode the bytes of every token. */
static void check_every_piece(const trit_tokenizer *t, bool spm)
{
    const int32_t n = trit_tokenizer_n_vocab(t);
    for (int32_t id = -2; id < n + 2; id++) {
        const struct trit_string s = trit_tokenizer_piece(t, id, false),
                                 special = trit_tokenizer_piece(t, id, true);
        assert_true(s.bytes && special.bytes);
        assert_true(s.len <= special.len);
        if (id >= 0 && id < n)
            assert_true(special.len > 0);
        check_back(t, s.bytes, s.len, spm);
    }
}

static void real_vocabulary(void **state)
{
    const char *name = *state;
    const bool spm = strcmp(name, "llama-spm") == 0;
    uint64_t rng = seed(name, 271828);
    struct trit_error err;
    trit_tokenizer *t;
    trit_file *file;

    FILE *f = fopen(shared_path("tokenizer/%s.jsonl", name), "rb");
    if (trit_file_open(&file, shared_path("tokenizer/%s.gguf", name), NULL, &err) ||
        trit_tokenizer_open(&t, file, &err))
        fail_msg("%s", err.text);
    trit_file_close(&file);
    check_samples(t, f, spm);
    fclose(f);
    check_every_piece(t, spm);
    for (int round = 0; round < 300; round++) {
        char text[500];
        size_t len = random_text(text, sizeof text, &rng);
        len = spm ? without_marks(text, len) : len;
        check_back(t, text, len, spm);
    }
    check_long(t, spm);
    trit_tokenizer_close(&t);
}

static char gpt2[] = "gpt-2", llama_bpe[] = "llama-bpe", llama_spm[] = "llama-spm";
static const struct CMUnitTest tests[] = {
    cmocka_unit_test(classes),
    cmocka_unit_test(pieces),
    cmocka_unit_test(cut_symbols),
    cmocka_unit_test(zero_bytes),
    cmocka_unit_test(pieces_cover_anything),
    cmocka_unit_test(fixture_merges),
    cmocka_unit_test(merge_order),
    cmocka_unit_test(leftmost_first),
    cmocka_unit_test(same_as_naive_bpe),
    cmocka_unit_test(whole_pieces),
    cmocka_unit_test(long_tokens),
    cmocka_unit_test(long_merges),
    cmocka_unit_test(spm_basics),
    cmocka_unit_test(spm_unknown),
    cmocka_unit_test(same_as_naive_spm),
    cmocka_unit_test(spm_zero_scores),
    cmocka_unit_test(special_tokens),
    cmocka_unit_test(special_tokens_spm),
    cmocka_unit_test(control_tokens_are_not_text),
    cmocka_unit_test(control_tokens_are_not_text_spm),
    cmocka_unit_test(bos),
    cmocka_unit_test(round_trips),
    cmocka_unit_test(long_texts),
    cmocka_unit_test(useless_merges),
    cmocka_unit_test(small_vocabularies),
    cmocka_unit_test(too_long),
    cmocka_unit_test(odd_types),
    cmocka_unit_test(odd_scores),
    cmocka_unit_test(odd_strings),
    cmocka_unit_test(scores_that_contradict),
    cmocka_unit_test(repeated_tokens),
    cmocka_unit_test(special_tokens_of_every_length),
    cmocka_unit_test(unknown_pretokenizers),
    cmocka_unit_test(read_samples),
    {"real_gpt2", real_vocabulary, NULL, NULL, gpt2},
    {"real_llama_bpe", real_vocabulary, NULL, NULL, llama_bpe},
    {"real_llama_spm", real_vocabulary, NULL, NULL, llama_spm},
};

const struct suite suite = {SUITE_TESTS(tests)};
