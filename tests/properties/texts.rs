//! Texts, bytes and JSON for rules that have to hold for any.

use super::trial::Bytes;
use proptest::{
    char,
    collection::{btree_map, vec},
    prelude::{Just, any},
    sample::select,
    strategy::{Strategy, Union},
};
use serde_json::{Number, Value};

/// Parts that mean something to a shell, a terminal, a parser or a person.
const PIECES: &[&str] = &[
    "'",
    "\"",
    "$",
    "`",
    "!",
    "\\",
    "\n",
    "\r\n",
    "\t",
    " ",
    "\u{1}",
    "\u{7f}",
    "\u{1b}[2J",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{202e}",
    "\u{feff}",
    "\u{fffd}",
    "\u{10ffff}",
    "'\\''",
    "''",
    "$'",
    "$(id)",
    "${HOME}",
    "$((1+1))",
    "`id`",
    "!!",
    "!$",
    "\\\n",
    "~",
    "*",
    "?",
    "[a-z]",
    "{a,b}",
    "<(id)",
    ">x",
    "|",
    "&",
    ";",
    "#",
    "(",
    ")",
    "%s",
    "%",
    "=",
    "==",
    "-",
    "--",
    "-n",
    "/",
    "//",
    "..",
    ".",
    ",",
    ":",
    "@",
    "EOF",
    "é",
    "e\u{301}",
    "漢字",
    "🦀",
    "👩\u{200d}🔬",
    "ſ",
    "ß",
    "a",
    "Z",
    "0",
    "9",
    "name",
];

/// One character: control characters and special ones far more often than by chance.
pub fn character() -> impl Strategy<Value = char> + Clone {
    Union::new_weighted(vec![
        (2, char::range('\u{1}', '\u{1f}').boxed()),
        (2, char::range('\u{7f}', '\u{9f}').boxed()),
        (4, char::range(' ', '~').boxed()),
        (2, any::<char>().boxed()),
    ])
}

/// Any text, also an empty one.
pub fn text() -> impl Strategy<Value = String> + Clone {
    let piece = Union::new(vec![
        select(PIECES).prop_map(str::to_owned).boxed(),
        character().prop_map(String::from).boxed(),
    ]);
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Text of these parts, with other text between now and then: nearly right for a parser.
pub fn text_of(pieces: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    let piece = Union::new_weighted(vec![
        (9, select(pieces).prop_map(str::to_owned).boxed()),
        (1, character().prop_map(String::from).boxed()),
    ]);
    vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

/// Any bytes.
pub fn bytes() -> impl Strategy<Value = Bytes> + Clone {
    vec(any::<u8>(), 0..64).prop_map(Bytes)
}

/// Any number that JSON has.
pub fn number() -> impl Strategy<Value = Number> + Clone {
    Union::new(vec![
        any::<u64>().prop_map(Number::from).boxed(),
        any::<i64>().prop_map(Number::from).boxed(),
        any::<f64>()
            .prop_map(|it| Number::from_f64(it).unwrap_or_else(|| 0.into()))
            .boxed(),
        select(&[0, 1, 2, 255, 65_536, 1 << 32, 1 << 53, u64::MAX][..])
            .prop_map(Number::from)
            .boxed(),
    ])
}

/// Any JSON, a few levels deep, whose objects' keys are often one of these.
pub fn json(keys: &'static [&'static str]) -> impl Strategy<Value = Value> + Clone {
    let leaf = Union::new(vec![
        Just(Value::Null).boxed(),
        any::<bool>().prop_map(Value::from).boxed(),
        number().prop_map(Value::from).boxed(),
        text().prop_map(Value::from).boxed(),
    ]);
    leaf.prop_recursive(3, 24, 4, move |inner| {
        let key = Union::new_weighted(vec![
            (3, select(keys).prop_map(str::to_owned).boxed()),
            (1, text().boxed()),
        ]);
        Union::new(vec![
            vec(inner.clone(), 0..4).prop_map(Value::from).boxed(),
            btree_map(key, inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect()))
                .boxed(),
        ])
    })
}
