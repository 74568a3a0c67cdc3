#!/usr/bin/env python3
"""Writes testdata/json: small cases of RFC 8259, one a file, named after what they hold.

`pass/` is valid and `fail/` is not, both as a whole document and as a value inside a larger one; `fail-whole/` is only
wrong as a whole document, because what surrounds it may complete it. Files end without a line end unless that is the case.
"""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent / "testdata" / "json"

PASS = {
    # numbers
    "number-zero": "0", "number-minus-zero": "-0", "number-minus-zero-fraction": "-0.0", "number-one-digit": "7",
    "number-integer": "1234567890", "number-negative": "-42", "number-fraction": "0.5", "number-fraction-zeros": "1.1000",
    "number-exponent": "1e5", "number-exponent-upper": "1E5", "number-exponent-plus": "1e+5", "number-exponent-minus": "1e-5",
    "number-exponent-leading-zeros": "1e0005", "number-fraction-exponent": "-12.34E-56", "number-zero-exponent": "0e0",
    "number-zero-fraction-exponent": "0.0e-0", "number-past-double": "1e999", "number-past-double-negative": "-1e999",
    "number-below-double": "1e-999", "number-2p53-plus-one": "9007199254740993", "number-u64-max": "18446744073709551615",
    "number-past-u64": "18446744073709551616", "number-i64-min": "-9223372036854775808",
    "number-past-i64": "-9223372036854775809", "number-400-digits": "9" * 400, "number-400-decimals": "0." + "3" * 400,
    "number-400-digit-exponent": "1e" + "9" * 400, "number-smallest-subnormal": "4.9e-324",
    # literals
    "literal-true": "true", "literal-false": "false", "literal-null": "null", "literals-in-array": "[true,false,null]",
    # strings
    "string-empty": '""', "string-ascii": '"abc"', "string-space": '" "', "string-del": b'"\x7f"', "string-slash": '"a/b"',
    "string-single-quote": '"it\'s"', "string-31-bytes": '"' + "a" * 31 + '"', "string-32-bytes": '"' + "a" * 32 + '"',
    "string-33-bytes": '"' + "a" * 33 + '"', "string-63-bytes": '"' + "b" * 63 + '"', "string-64-bytes": '"' + "b" * 64 + '"',
    "string-65-bytes": '"' + "b" * 65 + '"', "string-1000-bytes": '"' + "c" * 1000 + '"',
    "string-looks-like-json": r'"{\"a\":[1,2,{}]}"', "string-looks-like-comment": '"/* no */ // no"', "string-braces": '"}{]["',
    "string-no-break-space": '"\u00a0"', "string-line-separator": '"\u2028\u2029"', "string-bom": '"\ufeff"',
    "string-c1-control": '"\u0085"', "string-right-to-left": '"\u202e\u0645\u0631"',
    # escapes
    "escape-quote": r'"\""', "escape-backslash": r'"\\"', "escape-slash": r'"\/"', "escape-b": r'"\b"', "escape-f": r'"\f"',
    "escape-n": r'"\n"', "escape-r": r'"\r"', "escape-t": r'"\t"', "escape-all": r'"\"\\\/\b\f\n\r\t\u00e9"',
    "escape-two-backslashes-then-end": r'"\\\\"', "escape-backslash-quote": r'"\\\""', "escape-u-lower-hex": r'"\u00e9"',
    "escape-u-upper-hex": r'"\u00E9"', "escape-u-mixed-hex": r'"\uaBcD"', "escape-u-zero": r'"\u0000"', "escape-u-1f": r'"\u001f"',
    "escape-u-quote": r'"\u0022"', "escape-u-backslash": r'"\u005c"', "escape-u-ffff": r'"\uffff"', "escape-u-bom": r'"\ufeff"',
    "escape-u-then-digits": r'"\u00e912"', "escape-at-31": '"' + "a" * 30 + r'\n"', "escape-across-32": '"' + "a" * 31 + r'\n"',
    "escape-u-across-32": '"' + "a" * 29 + r'\u0041"', "escape-backslashes-32": '"' + "\\" * 32 + '"',
    "escape-backslashes-64-and-quote": '"' + "\\" * 64 + r'\""',
    # surrogates (accepted as JSON text: what they decode to is another matter)
    "surrogate-pair": r'"\ud83d\ude00"', "surrogate-pair-upper": r'"\uD83D\uDE00"', "surrogate-first-pair": r'"\ud800\udc00"',
    "surrogate-last-pair": r'"\udbff\udfff"', "surrogate-lone-high": r'"\ud83d"', "surrogate-lone-low": r'"\ude00"',
    "surrogate-reversed": r'"\ude00\ud83d"', "surrogate-two-high": r'"\ud83d\ud83d"', "surrogate-high-then-text": r'"\ud83dabc"',
    "surrogate-high-then-escape": r'"\ud83d\n"', "surrogate-high-then-bmp": r'"\ud83d\u0041"', "surrogate-lone-in-key": r'{"\ud83d":1}',
    # UTF-8
    "utf8-two-bytes-first": "\"\u0080\"", "utf8-two-bytes-last": '"\u07ff"', "utf8-three-bytes-first": '"\u0800"',
    "utf8-three-bytes-before-surrogates": '"\ud7ff"', "utf8-three-bytes-after-surrogates": '"\ue000"',
    "utf8-three-bytes-last": '"\uffff"', "utf8-noncharacter": '"\ufdd0"', "utf8-four-bytes-first": '"\U00010000"',
    "utf8-four-bytes-last": '"\U0010ffff"', "utf8-emoji": '"\U0001f600"', "utf8-emoji-family": '"\U0001f468\u200d\U0001f469\u200d\U0001f467"',
    "utf8-combining": '"e\u0301"', "utf8-hindi": '"\u0928\u092e\u0938\u094d\u0924\u0947"', "utf8-in-key": '{"\u00e9\u4e2d":1}',
    "utf8-across-32": '"' + "a" * 30 + '\U0001f600"', "utf8-across-64": '"' + "a" * 62 + '\u4e2d"',
    # arrays and objects
    "array-empty": "[]", "array-empty-spaced": "[ ]", "array-one": "[1]", "array-mixed": '[1,"a",null,true,{},[]]',
    "array-of-empties": "[[],{},\"\"]", "array-nested": "[[[[[]]]]]", "array-long": "[" + ",".join("0" for _ in range(200)) + "]",
    "object-empty": "{}", "object-empty-spaced": "{ }", "object-one": '{"a":1}', "object-many": '{"a":1,"b":[],"c":{"d":null}}',
    "object-empty-key": '{"":0}', "object-duplicate-keys": '{"a":1,"a":2}', "object-duplicate-keys-same-value": '{"a":1,"a":1}',
    "object-duplicate-keys-escaped": r'{"a":1,"\u0061":2}', "object-key-with-quote": r'{"\"":1}', "object-key-with-nul": r'{"\u0000":1}',
    "object-long-key": '{"' + "k" * 300 + '":1}', "object-nested": '{"a":{"a":{"a":{"a":{}}}}}',
    "object-like-a-message": '{"type":"incoming","components":[]}', "object-like-a-page": '{"messages":[]}',
    # white space
    "space-around": " \t\r\n1 \t\r\n", "space-line-end": "true\n", "space-crlf": "[\r\n1\r\n,\r\n2\r\n]\r\n", "space-everywhere": ' { "a" : [ 1 , { } ] , "b" : "" } ',
    "space-tabs": "[\t1\t,\t2\t]", "space-100": " " * 100 + "0" + " " * 100, "space-64-then-value": " " * 64 + "[]",
    # depth
    "depth-64-arrays": "[" * 64 + "]" * 64, "depth-64-objects": '{"a":' * 64 + "1" + "}" * 64, "depth-100-mixed": '[{"a":' * 50 + "0" + "}]" * 50,
}

FAIL = {
    # nothing at all
    "nothing": "", "nothing-but-space": " \n\t", "nothing-but-nul": b"\0",
    # numbers
    "number-leading-zero": "01", "number-leading-zeros": "00", "number-minus-leading-zero": "-01", "number-plus": "+1",
    "number-minus-alone": "-", "number-double-minus": "--1", "number-minus-space": "- 1", "number-dot-first": ".5",
    "number-minus-dot": "-.5", "number-dot-last": "1.", "number-dot-exponent": "1.e5", "number-two-dots": "1.2.3",
    "number-dot-alone": ".", "number-exponent-empty": "1e", "number-exponent-sign-only": "1e+", "number-exponent-minus-only": "1E-",
    "number-exponent-fraction": "1e1.5", "number-two-exponents": "1e1e1", "number-exponent-first": "e5", "number-hex": "0x1F",
    "number-octal": "0o17", "number-binary": "0b1", "number-underscore": "1_000", "number-comma": '"a":1,000', "number-suffix": "1f",
    "number-letter-inside": "12a3", "number-nan": "NaN", "number-minus-nan": "-NaN", "number-infinity": "Infinity",
    "number-minus-infinity": "-Infinity", "number-inf": "inf", "number-arabic-digits": "\u0661\u0662", "number-full-width-digit": "\uff11",
    "number-space-inside": "1 2", "number-minus-in-middle": "1-2", "number-percent": "5%",
    # literals
    "literal-true-upper": "TRUE", "literal-true-capital": "True", "literal-false-capital": "False", "literal-null-upper": "NULL",
    "literal-none": "None", "literal-undefined": "undefined", "literal-true-short": "tru", "literal-false-short": "fals",
    "literal-null-short": "nul", "literal-true-long": "truee", "literal-null-long": "nullx", "literal-nil": "nil",
    "literal-yes": "yes", "literal-word": "abc", "literal-true-false": "truefalse", "literal-split": "tr ue", "literal-letter-t": "t",
    # strings
    "string-single-quotes": "'a'", "string-no-quotes": "a b", "string-typographic-quotes": "\u201ca\u201d", "string-backticks": "`a`",
    "string-missing-opening-quote": 'a"', "string-python-prefix": 'u"a"', "string-two-neighbours": '"a" "b"', "string-concatenated": '"a"+"b"',
    "string-doubled-quote": '"a""b"', "string-three-quotes": '"""a"""', "string-raw-newline": '"a\nb"', "string-raw-return": '"a\rb"',
    "string-raw-tab": '"a\tb"', "string-raw-nul": b'"a\0b"', "string-raw-01": b'"\x01"', "string-raw-1f": b'"\x1f"',
    "string-raw-newline-late": '"' + "a" * 40 + '\n"', "string-raw-nul-at-32": b'"' + b"a" * 31 + b'\0"', "string-raw-control-in-key": b'{"a\x02":1}',
    "string-line-continued": '"a\\\nb"',
    # escapes
    "escape-a": r'"\a"', "escape-v": r'"\v"', "escape-zero": r'"\0"', "escape-x": r'"\x41"', "escape-single-quote": r'"\'"',
    "escape-upper-u": r'"\U0041"', "escape-upper-n": r'"\N"', "escape-space": r'"\ a"', "escape-octal": r'"\101"', "escape-e": r'"\e"',
    "escape-u-none": r'"\u"', "escape-u-one-digit": r'"\u0"', "escape-u-three-digits": r'"\u00e"', "escape-u-not-hex": r'"\u00g0"',
    "escape-u-space": r'"\u 041"', "escape-u-sign": r'"\u+041"', "escape-u-minus": r'"\u-041"', "escape-u-braces": r'"\u{41}"',
    "escape-u-full-width-digit": '"\\u004\uff11"', "escape-high-then-short": r'"\ud83d\u"', "escape-high-then-bad": r'"\ud83d\x"',
    "escape-in-key": r'{"\q":1}', "escape-outside-string": r'\n', "escape-non-ascii": '"\\\u00e9"', "escape-u-across-32-bad": '"' + "a" * 30 + r'\u00z0"',
    # UTF-8
    "utf8-lone-continuation": b'"\x80"', "utf8-lone-bf": b'"\xbf"', "utf8-two-continuations": b'"\x80\x80"', "utf8-latin1": b'"caf\xe9"',
    "utf8-overlong-two-c0": b'"\xc0\x80"', "utf8-overlong-two-c1": b'"\xc1\xbf"', "utf8-overlong-slash": b'"\xc0\xaf"',
    "utf8-overlong-three": b'"\xe0\x80\x80"', "utf8-overlong-three-last": b'"\xe0\x9f\xbf"', "utf8-overlong-four": b'"\xf0\x80\x80\x80"',
    "utf8-overlong-four-last": b'"\xf0\x8f\xbf\xbf"', "utf8-surrogate-first": b'"\xed\xa0\x80"', "utf8-surrogate-last": b'"\xed\xbf\xbf"',
    "utf8-surrogate-pair": b'"\xed\xa0\xbd\xed\xb8\x80"', "utf8-past-last": b'"\xf4\x90\x80\x80"', "utf8-f5": b'"\xf5\x80\x80\x80"',
    "utf8-five-bytes": b'"\xf8\x88\x80\x80\x80"', "utf8-six-bytes": b'"\xfc\x84\x80\x80\x80\x80"', "utf8-fe": b'"\xfe"', "utf8-ff": b'"\xff"',
    "utf8-two-cut": b'"\xc3"', "utf8-three-cut-one": b'"\xe4"', "utf8-three-cut-two": b'"\xe4\xb8"', "utf8-four-cut-one": b'"\xf0"',
    "utf8-four-cut-two": b'"\xf0\x9f"', "utf8-four-cut-three": b'"\xf0\x9f\x98"', "utf8-cut-then-text": b'"\xe4\xb8abc"',
    "utf8-bad-in-key": b'{"\xff":1}', "utf8-bad-after-32": b'"' + b"a" * 40 + b'\xff"', "utf8-bad-at-32": b'"' + b"a" * 31 + b'\xff"',
    "utf8-bad-late": b'"' + "\u00e9".encode() * 200 + b'\xe9"', "utf8-bad-outside-string": b"[\xff]", "utf8-bad-as-value": b"\xe9",
    "utf8-bad-between": b'["a"\xc3,1]', "utf8-bad-after-escape": b'"\\n\xff"', "utf8-cesu-after-ok": '"\u00e9'.encode() + b'\xed\xa0\x80"',
    # byte order marks and other encodings
    "bom-before-value": b"\xef\xbb\xbf1", "bom-inside": b"[\xef\xbb\xbf1]", "bom-alone": b"\xef\xbb\xbf", "bom-utf16": b"\xff\xfe1\0",
    "utf16-le": "[1]".encode("utf-16-le"), "utf16-be": "[1]".encode("utf-16-be"),
    # arrays
    "array-trailing-comma": "[1,]", "array-leading-comma": "[,1]", "array-comma-only": "[,]", "array-two-commas": "[1,,2]",
    "array-missing-comma": "[1 2]", "array-missing-comma-strings": '["a" "b"]', "array-colon": "[1:2]", "array-semicolon": "[1;2]",
    "array-closed-by-brace": "[1}", "array-key-inside": '["a":1]', "array-parentheses": "(1)", "array-angle-brackets": "<1>",
    "array-trailing-comma-spaced": "[ 1 , ]", "array-inner-trailing-comma": "[[1,],2]", "array-inner-closed-by-brace": "[[1},2]",
    # objects
    "object-trailing-comma": '{"a":1,}', "object-leading-comma": '{,"a":1}', "object-comma-only": "{,}", "object-two-commas": '{"a":1,,"b":2}',
    "object-missing-comma": '{"a":1 "b":2}', "object-missing-colon": '{"a" 1}', "object-two-colons": '{"a"::1}', "object-missing-value": '{"a":}',
    "object-missing-value-then-more": '{"a":,"b":1}', "object-key-only": '{"a"}', "object-key-only-then-more": '{"a","b":1}',
    "object-unquoted-key": "{a:1}", "object-single-quoted-key": "{'a':1}", "object-number-key": "{1:1}", "object-null-key": "{null:1}",
    "object-array-key": "{[]:1}", "object-object-key": "{{}:1}", "object-equals": '{"a"=1}', "object-arrow": '{"a"=>1}', "object-semicolon": '{"a":1;"b":2}',
    "object-closed-by-bracket": '{"a":1]', "object-colon-only": "{:}", "object-value-without-key": "{:1}", "object-spread": "{...a}",
    "object-inner-trailing-comma": '{"a":{"b":1,},"c":2}', "object-typographic-key": "{\u201ca\u201d:1}", "object-missing-opening-quote": '{a":1}',
    "object-bare-object-inside": '{{"a":1}}',
    # comments and other languages
    "comment-line": "1 // one", "comment-block": "/* one */ 1", "comment-in-array": "[1 /* one */]", "comment-hash": "1 # one",
    "comment-in-object": '{"a":/**/1}', "yaml-dash": "- 1", "html-tag": "<b>1</b>", "template-placeholder": "{{value}}", "javascript-new": "new Date(0)",
    "javascript-regex": "/a/", "python-tuple": "(1,2)", "ellipsis": "...", "dollar": "$", "star": "*", "at-sign": "@", "lone-colon": ":", "lone-comma": ",",
    # white space that is none
    "space-no-break": "[1,\u00a02]", "space-form-feed": "[1,\f2]", "space-vertical-tab": "[1,\v2]", "space-line-separator": "[1,\u20282]",
    "space-next-line": "[1,\u00852]", "space-em": "[1,\u20032]", "space-zero-width": "[1,\u200b2]", "space-nul": b"[1,\x002]", "space-backspace": b"[1,\x082]",
}

FAIL_WHOLE = {
    # another value, or what closes something that this document did not open
    "two-numbers": "1,2", "value-then-key": '1,"b":2', "two-arrays-with-comma": "[],[]", "extra-brace": "{}}", "extra-bracket": "[]]",
    "lone-closing-brace": "}", "lone-closing-bracket": "]", "closes-and-opens": '1},{"a":1', "array-then-object": "[]{}", "two-objects": "{}{}",
    "two-objects-on-lines": "{}\n{}", "value-then-garbage": "{} x", "value-then-nul": b"[]\0", "string-then-brace": '"a"}',
    # what is open when the document ends
    "open-array": "[", "open-array-value": "[1", "open-array-comma": "[1,", "open-object": "{", "open-object-key": '{"a"', "open-object-colon": '{"a":',
    "open-object-value": '{"a":1', "open-object-comma": '{"a":1,', "open-string": '"a', "open-string-empty": '"', "open-escape": '"a\\',
    "open-escape-quote": r'"a\"', "open-escape-u": '"\\u00', "open-inner-array": "[[1]", "open-inner-object": '{"a":{"b":1}', "open-key": '{"a',
    "open-100-arrays": "[" * 100, "open-100-objects": '{"a":' * 100, "open-32-byte-string": '"' + "a" * 31,
}


def main() -> None:
    shutil.rmtree(ROOT, ignore_errors=True)
    for folder, cases in {"pass": PASS, "fail": FAIL, "fail-whole": FAIL_WHOLE}.items():
        (ROOT / folder).mkdir(parents=True)
        for name, case in cases.items():
            (ROOT / folder / f"{name}.json").write_bytes(case if isinstance(case, bytes) else case.encode())
        print(f"{folder}: {len(cases)}")


if __name__ == "__main__":
    main()
