//! The canonical form is held against another implementation of RFC 8785, byte by byte.

use std::collections::BTreeMap;

use fedval_study::Canonical;
use proptest::prelude::*;
use serde::Serialize;
use serde_json::{Map, Number, Value};

/// Every shape that a derived serialisation has.
#[derive(Debug, Clone, Serialize)]
struct Shapes {
    zebra: Vec<Shape>,
    #[serde(rename = "\u{20ac}")]
    euro: Option<f64>,
    alpha: (i64, u64, f32),
    #[serde(rename = "a\"quoted\\key")]
    quoted: Unit,
    keys: BTreeMap<i32, char>,
    #[serde(flatten)]
    rest: BTreeMap<String, bool>,
}

#[derive(Debug, Clone, Serialize)]
enum Shape {
    Unit,
    Newtype(String),
    Tuple(u8, i16),
    Struct { z: u32, a: Option<()> },
}

#[derive(Debug, Clone, Serialize)]
struct Unit;

fn bytes_of<T: Serialize>(value: &T) -> Option<Vec<u8>> {
    Canonical::new(value).ok().map(Canonical::into_bytes)
}

fn reference<T: Serialize>(value: &T) -> Option<Vec<u8>> {
    serde_json_canonicalizer::to_vec(value).ok()
}

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        any::<u64>().prop_map(Number::from),
        any::<i64>().prop_map(Number::from),
        (-1_000_i64..1_000).prop_map(Number::from),
        any::<f64>().prop_filter_map("finite", Number::from_f64),
        // Every pattern of bits, subnormal ones among them.
        any::<u64>().prop_filter_map("finite", |bits| Number::from_f64(f64::from_bits(bits))),
    ]
}

/// Texts and keys with controls, escapes, and code points on both sides of U+FFFF.
fn text() -> impl Strategy<Value = String> {
    "[a-c\"\\\\/\u{0}-\u{20}\u{7f}\u{e9}\u{20ac}\u{fb33}\u{ffff}\u{10000}\u{1f600}]{0,6}"
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number().prop_map(Value::Number),
        text().prop_map(Value::String),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            prop::collection::vec((text(), inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        Just(Shape::Unit),
        text().prop_map(Shape::Newtype),
        any::<(u8, i16)>().prop_map(|(one, other)| Shape::Tuple(one, other)),
        any::<(u32, Option<()>)>().prop_map(|(z, a)| Shape::Struct { z, a }),
    ]
}

prop_compose! {
    fn shapes()(
        zebra in prop::collection::vec(shape(), 0..5),
        euro in any::<Option<f64>>(),
        alpha in any::<(i64, u64, f32)>(),
        keys in prop::collection::btree_map(any::<i32>(), any::<char>(), 0..5),
        rest in prop::collection::btree_map(text(), any::<bool>(), 0..5),
    ) -> Shapes {
        Shapes { zebra, euro, alpha, quoted: Unit, keys, rest }
    }
}

proptest! {
    #[test]
    fn any_document_has_the_bytes_of_the_reference(document in document()) {
        prop_assert_eq!(bytes_of(&document), reference(&document));
    }

    /// Also what has no such form at all, such as two members with one key.
    #[test]
    fn any_value_has_the_bytes_of_the_reference(value in shapes()) {
        prop_assert_eq!(bytes_of(&value), reference(&value));
    }

    #[test]
    fn the_canonical_form_of_a_document_is_read_back(document in document()) {
        let bytes = bytes_of(&document).unwrap();
        prop_assert!(Canonical::<Value>::parse(&bytes).is_ok());
    }
}

/// Such are put in order in another way than small ones.
#[test]
fn a_large_document_has_the_bytes_of_the_reference() {
    #[derive(Serialize)]
    struct Large {
        d: String,
        b: Vec<u64>,
        c: Option<f64>,
        a: String,
        e: BTreeMap<u32, String>,
    }
    let large = Large {
        d: "d".repeat(1 << 20),
        b: (0..300_000).collect(),
        c: Some(0.5),
        a: "a".repeat(7),
        e: (0..9).map(|key| (key, "e".repeat(1 << 18))).collect(),
    };
    let document = [
        large,
        Large { d: String::new(), b: Vec::new(), c: None, a: String::new(), e: BTreeMap::new() },
    ];
    assert_eq!(bytes_of(&document), reference(&document));
}

#[test]
fn two_members_with_one_key_have_no_canonical_form() {
    let rest = BTreeMap::from([("zebra".to_owned(), true)]);
    let twice = Shapes {
        zebra: Vec::new(),
        euro: None,
        alpha: (0, 0, 0.0),
        quoted: Unit,
        keys: BTreeMap::new(),
        rest,
    };
    assert!(Canonical::new(&twice).is_err());
}

/// The example of the RFC, section 3.2.3, and numbers of its appendix B.
#[test]
fn the_examples_of_the_rfc_come_out_as_printed() {
    let document: Value = serde_json::from_str(
        r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh",
            "1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control",
            "\u00f6":"Latin Small Letter O With Diaeresis"}"#,
    )
    .unwrap();
    let text = String::from_utf8(bytes_of(&document).unwrap()).unwrap();
    let keys = ["\\r", "1", "\u{80}", "\u{f6}", "\u{20ac}", "\u{1f600}", "\u{fb33}"];
    let places: Vec<_> = keys.map(|key| text.find(&format!("\"{key}\":")).unwrap()).to_vec();
    assert!(places.is_sorted(), "{text}");
    for (bits, printed) in [
        (0x0000_0000_0000_0000, "0"),
        (0x8000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0x4340_0000_0000_0000, "9007199254740992"),
        (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
        (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x41b3_de43_5555_5557, "333333333.33333343"),
    ] {
        assert_eq!(bytes_of(&f64::from_bits(bits)).unwrap(), printed.as_bytes());
    }
}
