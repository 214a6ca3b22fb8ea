"""Strings that are hard for tokenizers: every script, every kind of white space, joined emoji, marks, code, numbers,
control tokens inside text, the newest Unicode. tokenizer_ids.py writes them down with the official ids."""

GREETINGS = """Hello, world! | Ünïcödé wörld, façade naïveté | Привет, мир! Как дела? | Γειά σου Κόσμε, τί κάνεις; |
שלום עולם, מה שלומך? | مرحبا بالعالم، كيف حالك؟ | سلام دنیا، حال شما چطور است؟ | नमस्ते दुनिया, आप कैसे हैं? |
হ্যালো বিশ্ব, কেমন আছো? | ਸਤ ਸ੍ਰੀ ਅਕਾਲ ਦੁਨਿਆ | નમસ્તે વિશ્વ | ନମସ୍କାର ବିଶ୍ୱ | வணக்கம் உலகம் | హలో ప్రపంచం |
ಹಲೋ ವಿಶ್ವ | ഹലോ ലോകം | ආයුබෝවන් ලෝකය | สวัสดีชาวโลก ทำอะไรอยู่ | ສະບາຍດີຊາວໂລກ | བོད་སྐད་ཀྱི་འཛམ་གླིང |
မင်္ဂလာပါ ကမ္ဘာလောက | გამარჯობა მსოფლიო | ᲒᲐᲛᲐᲠᲯᲝᲑᲐ | Բարեւ աշխարհ | ሰላም ልዑል | ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ | ᐃᓄᒃᑎᑐᑦ | ᚠᚢᚦᚨᚱᚲ |
សួស្តីពិភពលោក | Сайн байна уу ᠮᠣᠩᠭᠣᠯ | 你好，世界！你吃饭了吗？ | 繁體中文與簡体中文 | こんにちは世界。カタカナとひらがな | ﾊﾝｶｸｶﾀｶﾅ | 안녕하세요 세계, 잘 지내요? |
안녕 분해된 한글 | ﷽ ﷺ | ⵜⴰⵎⴰⵣⵉⵖⵜ | ߒߞߏ ߃߄ | ܫܠܡܐ ܥܠܡܐ | ޙަޔާތް | 𐌰𐌱𐌲 Gothic | 𓀀𓁐𓂀 | 𒀀𒀁𒁀 | 𐍈𐍉 | 𐎀𐎁𐎂 | 𝒞𝓊𝓇𝓈𝒾𝓋𝑒 𝔉𝔯𝔞𝔨𝔱𝔲𝔯 𝟙𝟚𝟛 |
ＦＵＬＬ　ＷＩＤＴＨ　１２３ | Tiếng Việt có dấu | Türkçe İstanbul ıIiİ | Straße STRASSE ẞ | ǅ ǈ ǋ ǲ title case | ĳ ﬀ ﬁ ﬂ ﬃ ﬄ ﬅ ﬆ |
ªº ²³¹ ¼½¾ | ʰʲʷ ˠˤ | ꜠꜡ Ꜣꜣ | ᵫᵷᶚ ᴀᴁ""".replace("\n", " ").split(" | ")

EMOJI = """😀 | 😀😃😄 | 👨‍👩‍👧‍👦 | 👩🏽‍🚀🧑🏿‍🦱 | 🏳️‍🌈🏴‍☠️ | 🇫🇷🇩🇪🇯🇵🇺 | 👍👍🏻👍🏿 | ❤️❤︎❤ | 1️⃣2️⃣#️⃣*️⃣ | ☎️☎︎ | 🫠🫡🪿🫨🫷 |
🐦‍🔥🍋‍🟩🙂‍↔️ | 🫩🪾🫆 | text😀text | 😀 😀\t😀\n😀 | ©®™ | ⁉️‼️ | ㊗️㊙️ | 🀄🃏 | ♠♣♥♦ | 🧑‍🤝‍🧑 | 👩‍❤️‍💋‍👨 |
🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f | \U0001f9d1\u200d | \u200d\U0001f9d1 | \ufe0f\ufe0f |
🦊 the fox🦊s""".replace("\n", " ").split(" | ")

MARKS = ["e\u0301", "é", "e\u0301\u0316", "e\u0316\u0301", "a\u0300\u0301\u0302\u0303", "o\u0328\u0304", "ǭ", "\u0301",
         "\u0301\u0301",
         " \u0301", "x\u0301y", "ệ", "e\u0323\u0302", "ê\u0323", "Å", "Å", "Ω", "K", "q\u0307\u0323", "q\u0323\u0307",
         "각",
         "\u1100\u1161\u11a8", "\u1100\u1161", "\u1161\u11a8", "가\u11a8", "한글", "\u0958", "\u0915\u093c", "\u09dc",
         "\u0f43",
         "\u0f71\u0f72\u0f74", "\ufb1d", "\ufb2c", "\u0344", "\u0374", "\u037e", "\u0387", "\u1f71", "\u1fbe", "\u2126",
         "\u212a\u212b",
         "\u2329\u232a", "\uf900\ufa0e\ufa10", "\U0002f800", "\U0001d15e", "\U0001d1bb", "\u0340\u0341\u0343",
         "\u3099か", "か\u3099", "が",
         "は\u309a", "ぱ", "Z̷̢̛͎a̵̮͑l̶̰̈́g̸̣̀o̵͖̊", "ก\u0e34\u0e48", "\u0e01\u0e33", "\u0bc6\u0bbe", "\u0bca",
         "\u0dd9\u0dcf\u0dca",
         "\u1e9b\u0323", "\u1e69", "s\u0323\u0307", "d\u0307\u0323", "\u0f73\u0f75", "\u05d0\u05b7\u05bc",
         "\u05b7\u05bc", "\u0651\u064e",
         "\u064e\u0651", "\u0653\u0654", "ا\u0653", "آ", "\U00011131\U00011127", "\U0001112e", "\U00011938", "\u0300"
         * 40]

SPACES = ["", " ", "  ", "   ", " " * 7, " " * 100, "\t", "\t\t", " \t ", "\n", "\n\n", "\n\n\n", "\n" * 40, "\r",
          "\r\n", "\r\n\r\n",
          "\n\r", " \n", "\n ", " \n ", "  \n\n  ", "\x0b", "\x0c", "a\x0bb", "a\x0cb", "\x1c\x1d\x1e\x1f", "\x85",
          "a\x85b", "\xa0",
          "a\xa0b", " \xa0 ", "\u1680", "\u180e", "a\u180eb",
          "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a",
          "a\u2003b", "\u200b", "a\u200bb", "\u200c\u200d\u2060", "\u2028", "\u2029", "a\u2028b\u2029c", "\u202f",
          "\u205f", "\u3000",
          "　全角　", "\ufeff", "\ufeffBOM", " a", "a ", " a ", "  a", "   a", "a  b", "a   b", "a \n b", "a\n\nb", "a \n",
          "a  \n", "a\t b",
          "\ta", " \ta", "\t a", "a\n  b", "a\n\tb", "a\r\n  b", "x.\n\n1", "x.\n\n  1", "end.   ", "end.\n",
          "end. \n\n", ".\n", "!\r\n!",
          "  .", " \u3000x", "\u3000 x", "   \u00a0x", "\x00", "a\x00b", "\x7f", "\x1b[31mred\x1b[0m", " 1", "  1",
          "   12", "\n1", "1\n",
          "1 \n2", " '", " 's", "  's", "a 's"]

NUMBERS = ["0", "1", "12", "123", "1234", "12345", "123456", "1234567", "12345678901234567890", "3.14159",
           "1,234,567.89", "-1", "+1",
           "1e10", "1e-10", "0x1F", "0b1010", "1_000_000", "50%", "$100", "€99.99", "£1m", "2024-01-31", "12:34:56",
           "1st 2nd 3rd",
           "v1.2.3-rc4", "192.168.0.1", "a1b2c3", "1a2b", "٠١٢٣٤٥", "۱۲۳", "०१२", "১২৩", "໑໒", "１２３", "ⅠⅡⅢⅳ", "①②③",
           "²³", "x²+y²", "½ cup",
           "1½", "〇一二三", "百万", "𝟘𝟙", "1٢३", "12٣٤", "½²", "١٬٠٠٠", "𑄰𑄱", "007", "1.", ".5", "1..2", "1/2", "1²", "²1",
           "৪৲", "〡〢", "🄀",
           "1\u20e3"]

CODE = ["def f(x):\n    return x + 1\n", "int main(void) {\n\tprintf(\"%d\\n\", 42);\n\treturn 0;\n}\n",
        "for (auto& [k, v] : map) { ++v; }", "template <class T> requires std::integral<T>", "#include <vector>",
        "x = {'a': [1, 2, (3,)]}",
        "SELECT * FROM t WHERE a >= 10 AND b != 'x';", "<div class=\"a\">&nbsp;</div>",
        "https://example.com/a/b?c=d&e=%20#f",
        "user@example.org", "C:\\Windows\\System32", "/usr/local/bin", "a->b->c", "!@#$%^&*()_+-=[]{}|;':\",./<>?",
        "`~",
        "```python\nprint(1)\n```", "\\frac{1}{2}\\sum_{i=0}^{n}", "$E=mc^2$", "a&&b||!c", "i++ + ++i",
        "camelCaseString", "PascalCase",
        "snake_case_name", "SCREAMING_CASE", "kebab-case-name", "HTMLParser2XML", "iPhone15ProMax", "e.g. i.e. etc.",
        "{\"a\": null, \"b\": [true, 1.5e3]}", "\t\tif (x)\r\n\t\t\ty();\r\n", "        deeply indented", "//////////",
        "----------",
        "==========", "..........", "......", "…", "!!!", "???!!!", "<!-- c -->", "/* c */", "0x00ff00",
        "\\u00e9\\n\\t", "α→β",
        "∀x∈ℝ: x²≥0", "∑∏∫√∞", "≤≥≠≈", "←↑→↓", "─│┌┐└┘├┤", "█▓▒░", "•◦‣", "«»„“”‘’", "–—―", "¿¡", "§¶†‡", "′″", "‰‱",
        "№℠", "🅰🅱", "⠓⠑⠇⠇⠕",
        "♩♪♫", "ℵ₀", "H₂O", "E=mc²", "~/.bashrc", "$(echo hi)", "a|b", "100%!", "#hashtag @name", "R&D", "AT&T's",
        "rock'n'roll", "o'clock",
        "'tis", "I'm you're he's we've they'll I'd", "I'M YOU'RE HE'S WE'VE THEY'LL I'D", "don’t can’t", "it\u2019s",
        "'ſ", "K's",
        "'S'T'RE", "''s", "'sx", "x'ss", "'ll'", "l'été", "d'accord", "O'Neil's"]

WORDS = ["a", "the", "The", "THE", " the", "tokenization", "unbelievable", "antidisestablishmentarianism",
         "pneumonoultramicroscopicsilicovolcanoconiosis", "Donaudampfschifffahrtsgesellschaft",
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "ababababababababab", "The quick brown fox jumps over the lazy dog.",
         "Once upon a time, in a land far, far away...",
         "To be, or not to be: that is the question.", "hello hello hello", "HeLLo WoRLD", "xXxXx", "qwertyuiop",
         "zzzzzz", "e", "é", "ee",
         "Mr. Smith's", "well-known state-of-the-art", "and/or", "(parentheses)", "[brackets]", "\"quoted\"",
         "'single'", "A.B.C.",
         "U.S.A.", "Ph.D.", "lol!!!", "wow...ok", "yes—no", "a,b,c", "a, b, c", "a;b", "naïve café", "œuvre",
         "Ærøskøbing", "ŁódźŻółć",
         "The capital of France is", "import numpy as np", "你好hello世界", "日本語とEnglish", "abcабвαβγ",
         "Iñtërnâtiônàlizætiøn", "ﬁnance",
         "½-price", "мир🌍peace", "e\u0301cole", "한국어English한국어", "word" * 40, "слово" * 20, "字" * 50, "ー" * 20, "ん"
         * 30, "www" * 30,
         "=" * 70, "-" * 130, "." * 75, "\t" * 20, "ha" * 50, "1" * 30, "\u00e9" * 20, "😀" * 12, "_" * 33, "a b " * 16]

TOKENS = ["<|im_start|>user\nHi<|im_end|>\n", "<|im_start|>", "<|im_end|>", "<|im_start|><|im_end|>", "x<|im_end|>y",
          " <|im_end|> ",
          "<|im_end", "|im_end|>", "<|im_end|", "<|IM_END|>", "<|endoftext|>", "<|begin_of_text|>Hi<|eot_id|>",
          "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>", "<|end_of_text|>", "<|reserved_special_token_0|>",
          "<|finetune_right_pad_id|>", "<|python_tag|>", "<bos>Hi<eos>", "<start_of_turn>user\nHi<end_of_turn>\n",
          "<pad><unk><mask>",
          "<unused0><unused99>", "<start_of_image>", "<image_soft_token>", "[multimodal]", "[@BOS@]",
          "<think>\nhm\n</think>\n\nok",
          "<tool_call>{\"name\": 1}</tool_call>", "<tool_response>x</tool_response>",
          "<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>",
          "<|file_sep|>", "<repo_name>a<file_sep>b", "<gh_stars>", "<jupyter_start>", "<empty_output>", "<reponame>",
          "<table><tr><td>1</td></tr></table>", "<h1>a</h1>", "<strong>b</strong>", "<0x0A>", "<0xFF>", "<0x-1>",
          "<0xZZ>", "▁", "▁▁",
          "▁▁▁▁", "a▁b", " ▁ ", "Ġ", "ĠĠ", "aĠb", "Ċ", "ĉ", "</s>", "<s>", "[INST]", "<unk>", "<mask>", "<|im_sep|>",
          "<|im_start|>\u0301",
          "\u0301<|im_end|>", "<|im_end|>\n\n", "\n<|im_end|>", "  <|im_end|>  ", "<<|im_end|>>", "<|<|im_end|>|>",
          "<|object_ref_start|>",
          "<|vision_pad|>", "\n\n<start_of_turn>", "<h1>\n\n</h1>", "\n\n\n▁▁ x"]

# The newest versions of Unicode, where tables of different ages disagree; unassigned and private code points; the last
# of them all.
NEW = ["\u0560\u0588", "\u05ef", "\u061d", "\u0870\u0887", "\u088f", "\u0897", "\u0898\u08c8", "\u08be", "\u09fe",
       "\u0a76", "\u0b55",
       "\u0c04\u0c5d\u0c77", "\u0c84\u0cf3", "\u0d04\u0d81", "\u0e86\u0ece", "\u1715\u171f", "\u1878", "\u1ac1\u1aca",
       "\u1b4c\u1b4e\u1b7f",
       "\u1c89\u1c8a", "\u1c90\u1cb0", "\u1cfa", "\u1df6\u1dfa", "\u20bf\u20c0", "\u2427", "\u2429", "\u2b97",
       "\u2bba\u2bff",
       "\u2c2f\u2c5f", "\u2e4f\u2e52\u2e5d", "\u2ffc", "\u31bb\u31e4\u31ef", "\u9fea\u9feb\u9fff", "\u4dbf",
       "\ua7ba\ua7c0\ua7cb\ua7cd\ua7d0\ua7d9\ua7da\ua7dc", "\ua7f1\ua7f2\ua7f5\ua7f6", "\uab66\uab68\uab6a",
       "\U0001057b\U00010597",
       "\U000105c0", "\U00010780\U00010781", "\U00010d00\U00010d30", "\U00010d40\U00010d50\U00010d70",
       "\U00010e80\U00010eab", "\U00010ec2",
       "\U00010efc", "\U00010f00\U00010f30\U00010f70\U00010fe0", "\U00011070\U000110c2", "\U00011240",
       "\U00011380\U000113b8",
       "\U00011590\U000116ac", "\U00011740", "\U00011900\U00011938\U00011935\U00011930", "\U000119a0\U000119e4",
       "\U00011ab0",
       "\U00011b00\U00011bc0", "\U00011c00", "\U00011ee0\U00011f00\U00011f50", "\U00011fc0", "\U00012f90",
       "\U00013430\U00013460",
       "\U00014400", "\U00016100\U00016d40\U00016d63\U00016d6a", "\U00016a70\U00016ac0", "\U00016e40\U00016e60",
       "\U00016ea0\U00016ebb",
       "\U00016fe4\U00016ff0\U00016ff4", "\U00017000\U000187f7\U000187f8\U00018af3\U00018cd5\U00018cff",
       "\U0001aff0\U0001b001\U0001b11f\U0001b132\U0001b155", "\U0001cc00\U0001ccf0\U0001cf00", "\U0001d2c0\U0001d2e0",
       "\U0001df00\U0001df25", "\U0001e030\U0001e08f", "\U0001e100\U0001e140", "\U0001e290\U0001e2c0\U0001e2f0",
       "\U0001e4d0\U0001e4f0",
       "\U0001e5d0\U0001e5f0", "\U0001e6c0", "\U0001e7e0", "\U0001f10d\U0001f16d\U0001f1ad",
       "\U0001f6d6\U0001f6d7\U0001f6dc\U0001f6dd",
       "\U0001f774\U0001f7d9\U0001f7f0", "\U0001f8b2\U0001f8d0", "\U0001fa70\U0001fa89\U0001fa8f",
       "\U0001fabe\U0001fac6\U0001fad7\U0001fadc\U0001fadf\U0001fae9", "\U0001fb00\U0001fbf0\U0001fbf9",
       "\U0002a6d6\U0002a6d7\U0002a6dd\U0002b734\U0002b739\U0002ceb0\U0002ebf0\U00030000\U00031350\U000323b0",
       "\ue000\uf8ff",
       "\U000f0000\U0010ffff", "\ufffd\ufffe\uffff", "\ufff9\ufffa\ufffb", "\u0378\u0379", "\U000e0001", "\u2065",
       "\U0003ffff"]

# Each kind of character beside each other kind: where patterns decide what goes together.
KINDS = ["a", "Z", "é", "中", "1", "²", " ", "\n", "\r", "\t", "\u3000", ".", "'", "$", "_", "\u0301", "😀", "\u200b",
         "/"]
PAIRS = ([" ".join(a + b + a for b in KINDS) for a in KINDS] + ["".join(a + b for b in KINDS) for a in KINDS] +
         ["x" + a * 3 + "y" + a + "  " + a for a in KINDS])

HARD_STRINGS = list(dict.fromkeys(GREETINGS + EMOJI + MARKS + SPACES + NUMBERS + CODE + WORDS + TOKENS + NEW + PAIRS))
